"""What opens videos, cameras and pictures: PyAV or OpenCV, each loaded when it is used."""
