"""A Service's address as kube-proxy has it: each new connection is a draw among its endpoints.

Each endpoint is a listening socket of its own on one port; the kernel draws among those. What
arrives is passed on to the pod. A lost endpoint stays in the draw and answers nothing: neither a
dial, since its queue is full, nor on a connection that is there.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import closing, suppress
from types import TracebackType
from typing import Any

from localcluster.model import LOOPBACK
from localcluster.processes import free_port
from typing_extensions import Self

BLOCK_BYTES = 65536
# No dial on this machine takes that long, unless nobody queues it.
UNANSWERED_S = 0.2


class Endpoint:
    """One pod behind the address; all of it but the constructor runs in the loop's thread."""

    def __init__(self, listener: socket.socket, pod_port: int) -> None:
        self.listener = listener
        self.pod_port = pod_port
        self.lost = False
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, sock=self.listener)

    async def close(self) -> None:
        """Refuse new connections. Those that are there stay."""
        assert self._server
        # Not wait_closed(): that would wait for those connections.
        self._server.close()

    async def lose(self) -> None:
        self.lost = True
        asyncio.get_running_loop().remove_reader(self.listener)
        self.listener.listen(0)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled at the end, which asyncio would report as an error.
        with suppress(OSError, asyncio.CancelledError), closing(writer):
            back, forth = await asyncio.open_connection(LOOPBACK, self.pod_port)
            with closing(forth):
                await asyncio.gather(self._copy(reader, forth), self._copy(back, writer))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while block := await source.read(BLOCK_BYTES):
            await self._unless_lost()
            target.write(block)
            await target.drain()
        await self._unless_lost()
        target.close()

    async def _unless_lost(self) -> None:
        if self.lost:
            # Until the loop ends.
            await asyncio.get_running_loop().create_future()


class ClusterIp:
    """The address, on `port` of this machine; used as a context manager."""

    def __init__(self) -> None:
        self.port = free_port()
        self._endpoints: list[Endpoint] = []
        self._fillers: list[socket.socket] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def add(self, pod_port: int) -> None:
        """Draw this pod, too."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((LOOPBACK, self.port))
        endpoint = Endpoint(listener, pod_port)
        self._run(endpoint.open())
        self._endpoints.append(endpoint)

    def remove(self, pod_port: int) -> None:
        """Draw this pod no more. Connections that are there stay, as kube-proxy has it.

        Another pod gets its endpoints: closed, they would reset those whom the kernel has queued
        there meanwhile.
        """
        others = Counter(e.pod_port for e in self._endpoints if e.pod_port != pod_port)
        for endpoint in self._of(pod_port):
            if others:
                endpoint.pod_port = min(others, key=lambda port: others[port])
                others[endpoint.pod_port] += 1
            else:
                self._run(endpoint.close())
                self._endpoints.remove(endpoint)

    def lose(self, pod_port: int) -> None:
        """From now on this pod is drawn as before, and answers nothing."""
        for endpoint in self._of(pod_port):
            self._run(endpoint.lose())
        while self._is_answered():
            pass

    def _of(self, pod_port: int) -> list[Endpoint]:
        return [each for each in self._endpoints if each.pod_port == pod_port]

    def _is_answered(self) -> bool:
        filler = socket.socket()
        self._fillers.append(filler)
        filler.settimeout(UNANSWERED_S)
        return filler.connect_ex((LOOPBACK, self.port)) == 0

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._cancel())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for each in [*self._fillers, *(e.listener for e in self._endpoints)]:
            each.close()

    async def _cancel(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
