"""What opens videos, cameras and pictures: PyAV or OpenCV, neither of them loaded before it is used."""
