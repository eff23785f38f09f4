"""Sends requests by aiohttp, in tasks."""

import asyncio
import json
import os
import ssl
import sys
import time

import aiohttp

url, requests, in_flight = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ca_file = os.environ.get("CA_FILE")
left = requests


async def caller(session):
    global left
    while left > 0:
        left -= 1
        async with session.get(url) as answer:
            body = await answer.read()
            assert answer.status == 200 and answer.headers["Content-Type"] and body
            if "PAGE" in os.environ:
                for call in json.loads(body)["results"]:
                    assert call["id"] and call["status"] and call["duration"]


async def main():
    connector = aiohttp.TCPConnector(limit=in_flight, ssl=ssl.create_default_context(cafile=ca_file) if ca_file else None)
    async with aiohttp.ClientSession(connector=connector, headers={"X-CEKURA-API-KEY": "sim-key"}) as session:
        began, processor = time.monotonic(), time.process_time()
        await asyncio.gather(*(caller(session) for _ in range(in_flight)))
        print((time.monotonic() - began) * 1e6 / requests, (time.process_time() - processor) * 1e6 / requests)


asyncio.run(main())
