"""Sends requests by httpx, which the official SDK uses, in tasks."""

import asyncio
import os
import sys
import time

import httpx

url, requests, in_flight = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
left = requests


async def caller(client):
    global left
    while left > 0:
        left -= 1
        answer = await client.get(url)
        assert answer.status_code == 200 and answer.headers["Content-Type"] and answer.content
        if "PAGE" in os.environ:
            for call in answer.json()["results"]:
                assert call["id"] and call["status"] and call["duration"]


async def main():
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    async with httpx.AsyncClient(headers={"X-CEKURA-API-KEY": "sim-key"}, limits=limits, timeout=60,
                                 verify=os.environ.get("CA_FILE", True)) as client:
        began, processor = time.monotonic(), time.process_time()
        await asyncio.gather(*(caller(client) for _ in range(in_flight)))
        print((time.monotonic() - began) * 1e6 / requests, (time.process_time() - processor) * 1e6 / requests)


asyncio.run(main())
