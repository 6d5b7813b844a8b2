"""Data sets that are known: torchvision's, whose samples are an image and the index of its class."""

# By how many arguments come before what may make something else of the index. Those that return other targets when
# they are asked to (CelebA, VOC, ..) are not here.
_BY_ARGUMENTS = {
    1: ("Caltech101",),
    2: ("Caltech256", "EMNIST", "EuroSAT", "ImageFolder", "ImageNet", "SEMEION", "SUN397"),
    3: (
        "CIFAR10", "CIFAR100", "Country211", "DTD", "FER2013", "FGVCAircraft", "FakeData", "FashionMNIST",
        "Flowers102", "Food101", "GTSRB", "KMNIST", "MNIST", "PCAM", "QMNIST", "RenderedSST2", "STL10", "SVHN",
        "StanfordCars", "USPS",
    ),
}  # fmt: skip
BY_CLASS = {
    f"torchvision.datasets.{name}": count for count, names in _BY_ARGUMENTS.items() for name in names
} | {
    "torchvision.datasets.folder.ImageFolder": 2,
    "torchvision.datasets.mnist.MNIST": 3,
    "torchvision.datasets.cifar.CIFAR10": 3,
}
# The arguments that decide about the targets.
TARGETS = frozenset({"target_transform", "target_type", "compat"})
