"""Oblivious transfer and vector oblivious linear evaluation between two parties."""

from unseen.ot.correlation import ReceiverCorrelation, ReceiverSource, SenderCorrelation, SenderSource

__all__ = ["ReceiverCorrelation", "ReceiverSource", "SenderCorrelation", "SenderSource"]
