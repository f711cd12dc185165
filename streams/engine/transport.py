"""Faust's aiokafka transport, one message per partition and poll: `broker="batch://host:9092"`.

Faust pays about 60 us for each message that it carries, whatever is in it. Here a message is a
`Batch`: all records that one poll found in one partition. Assignment, generations, flow control,
commits and recovery stay Faust's.
"""

from typing import ClassVar

from faust.transport.drivers import aiokafka as driver

from streams.engine.consumer import Consumer
from streams.engine.producer import Producer


class Transport(driver.Transport):  # type: ignore[misc]  # faust ships no types
    """What `batch://` stands for."""

    Consumer: ClassVar[type[Consumer]] = Consumer
    Producer: ClassVar[type[Producer]] = Producer
