"""Runs scim2-tester's checks against a SCIM service provider; fails if any finds an error.

The token comes in the environment, so that it shows in no list of processes:
    SCIM_TOKEN=… python scim2_tester.py http://127.0.0.1:8080/v1/scim/v2
"""

import os
import sys
from collections import Counter

# Python puts the script's folder first, where this very file would be found by the library's name.
sys.path.pop(0)

from httpx2 import Client  # noqa: E402
from scim2_client.engines.httpx2 import SyncSCIMClient  # noqa: E402
from scim2_tester import Status, check_server  # noqa: E402

FAILED = (Status.ERROR, Status.CRITICAL)


def main(url: str, token: str) -> int:
    http = Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    results = check_server(SyncSCIMClient(http))
    for result in results:
        if result.status in FAILED or result.status is Status.DEVIATION:
            print(f"{result.status.name} {result.resource_type or ''} {result.title}: {result.reason}")
            print(f"    checks: {' '.join((result.description or '').split())}")
            if result.data is not None:
                print(f"    data: {result.data!r}"[:2000])
    counts = Counter(result.status.name.lower() for result in results)
    print(", ".join(f"{count} {status}" for status, count in counts.most_common()))
    # If discovery fails, the checks of resources do not take place; silence is no success.
    tested = {result.resource_type for result in results} - {None}
    missing = {"User", "Group"} - tested
    if missing:
        print(f"not tested at all: {', '.join(sorted(missing))}")
    return 1 if missing or any(result.status in FAILED for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ["SCIM_TOKEN"]))
