"""Packs one file as `bootstrap` into a zip: executable, and with a fixed time, so that the same file gives the same zip.

cargo-lambda's own zip carries the time of the build, by which Terraform would deploy every function at every build.
"""

import sys
import zipfile

# The first moment that a zip can name.
EPOCH = (1980, 1, 1, 0, 0, 0)


def main(source, destination):
    entry = zipfile.ZipInfo("bootstrap", EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o100755 << 16
    with open(source, "rb") as file, zipfile.ZipFile(destination, "w") as packed:
        packed.writestr(entry, file.read(), compresslevel=9)


main(*sys.argv[1:])
