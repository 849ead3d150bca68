"""The Qt-free core: connect, deploy, watch, forward and talk, told as plain Python."""
