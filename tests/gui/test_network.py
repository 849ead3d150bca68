"""Changes of the network as Qt tells of them, where the kernel is not asked."""

from PySide6.QtNetwork import QNetworkInformation

from desktop.system.network import QtNetworkWatcher


def test_qt_tells_until_it_is_stopped(qapp: object) -> None:
    told: list[int] = []
    watcher = QtNetworkWatcher(lambda: told.append(0))
    watcher.start()
    watcher.start()
    information = QNetworkInformation.instance()
    assert information is not None, QNetworkInformation.availableBackends()
    information.reachabilityChanged.emit(QNetworkInformation.Reachability.Online)
    information.transportMediumChanged.emit(QNetworkInformation.TransportMedium.WiFi)
    assert len(told) == 2
    watcher.stop()
    watcher.stop()
    information.reachabilityChanged.emit(QNetworkInformation.Reachability.Local)
    assert len(told) == 2
