//! The data sets that are known by name. Sums are those that their publishers' files have had for years, as the large
//! frameworks check them, too.

use super::{Known, Remote};

/// All of them.
pub const KNOWN: &[Known] = &[
    Known {
        name: "mnist",
        about: "70,000 handwritten digits, 28x28 grey (Y. LeCun, C. Cortes, C. Burges)",
        files: MNIST,
        installed: &[],
    },
    Known {
        name: "fashion-mnist",
        about: "70,000 pieces of clothing, 28x28 grey (H. Xiao, K. Rasul, R. Vollgraf; MIT licence)",
        files: FASHION_MNIST,
        installed: &["/usr/share/datasets/fashion-mnist", "/usr/share/dataset-fashion-mnist"],
    },
    Known {
        name: "cifar10",
        about: "60,000 small photos of 10 classes, 32x32 colour (A. Krizhevsky)",
        files: CIFAR10,
        installed: &[],
    },
    Known {
        name: "cifar100",
        about: "60,000 small photos of 100 classes, 32x32 colour (A. Krizhevsky)",
        files: CIFAR100,
        installed: &[],
    },
];

const MNIST: &[Remote] = &[
    Remote {
        name: "train-images-idx3-ubyte.gz",
        urls: &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
        ],
        sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        members: &[],
    },
    Remote {
        name: "train-labels-idx1-ubyte.gz",
        urls: &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/train-labels-idx1-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
        ],
        sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        members: &[],
    },
    Remote {
        name: "t10k-images-idx3-ubyte.gz",
        urls: &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-images-idx3-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
        ],
        sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        members: &[],
    },
    Remote {
        name: "t10k-labels-idx1-ubyte.gz",
        urls: &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
        ],
        sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        members: &[],
    },
];

const FASHION_MNIST: &[Remote] = &[
    Remote {
        name: "train-images-idx3-ubyte.gz",
        urls: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz"],
        sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        members: &[],
    },
    Remote {
        name: "train-labels-idx1-ubyte.gz",
        urls: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz"],
        sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        members: &[],
    },
    Remote {
        name: "t10k-images-idx3-ubyte.gz",
        urls: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz"],
        sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        members: &[],
    },
    Remote {
        name: "t10k-labels-idx1-ubyte.gz",
        urls: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz"],
        sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        members: &[],
    },
];

const CIFAR10: &[Remote] = &[Remote {
    name: "cifar-10-binary.tar.gz",
    urls: &["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
    sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    members: &[
        "cifar-10-batches-bin/batches.meta.txt",
        "cifar-10-batches-bin/data_batch_1.bin",
        "cifar-10-batches-bin/data_batch_2.bin",
        "cifar-10-batches-bin/data_batch_3.bin",
        "cifar-10-batches-bin/data_batch_4.bin",
        "cifar-10-batches-bin/data_batch_5.bin",
        "cifar-10-batches-bin/test_batch.bin",
    ],
}];

const CIFAR100: &[Remote] = &[Remote {
    name: "cifar-100-binary.tar.gz",
    urls: &["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
    sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    members: &[
        "cifar-100-binary/coarse_label_names.txt",
        "cifar-100-binary/fine_label_names.txt",
        "cifar-100-binary/train.bin",
        "cifar-100-binary/test.bin",
    ],
}];
