"""Options that several commands share."""

from minidl.backend import DEVICES


def add_device(parser):
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="where to compute (default: cpu)")


def add_tf32(parser):
    parser.add_argument("--tf32", action="store_true", help="let matrix products on the GPU drop digits (TF32)")
