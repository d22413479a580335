"""Network architectures and their pretrained weights."""

from minidl.models.face_detector import ARCHITECTURE as FACE_DETECTOR
from minidl.models.face_detector import FaceDetector, face_detector
from minidl.models.face_landmarks import ARCHITECTURE as FACE_LANDMARKS
from minidl.models.face_landmarks import FaceLandmarks, face_landmarks
from minidl.models.face_recognition import ARCHITECTURE as FACE_RECOGNITION
from minidl.models.face_recognition import FaceRecognition, face_recognition
from minidl.models.tiny_cifar10 import ARCHITECTURE as TINY_CIFAR10
from minidl.models.tiny_cifar10 import TinyCifar10, tiny_cifar10
from minidl.models.vgg19 import ARCHITECTURE as OF_VGG19
from minidl.models.vgg19 import VGG19, vgg19

# The architectures of the shipped weight files
ARCHITECTURES = OF_VGG19, FACE_DETECTOR, FACE_LANDMARKS, FACE_RECOGNITION, TINY_CIFAR10

__all__ = [
    "ARCHITECTURES",
    "VGG19",
    "FaceDetector",
    "FaceLandmarks",
    "FaceRecognition",
    "TinyCifar10",
    "face_detector",
    "face_landmarks",
    "face_recognition",
    "tiny_cifar10",
    "vgg19",
]
