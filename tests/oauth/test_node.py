"""oauth4webapi and jose, strict implementations of the standards, in Node against the same gateways."""

import os
import subprocess
from pathlib import Path

from conftest import ADD_KEY, KEYS
from support import note_secret

HERE = Path(__file__).parent
# Where `./test` installed the packages, beside which Node looks for them.
PLACE = Path(os.environ.get("TENANT_GATEWAY_TEST_NODE", HERE))


def test_strict_readers_of_the_standards(gateway, root, client, new_client, new_tenant, tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "NO_PROXY": "127.0.0.1",
        "ISSUER": gateway.url,
        "ALGORITHM": gateway.algorithm,
        "CLIENT_ID": client.client_id,
        "CLIENT_SECRET": client.secret,
        "TENANT": client.tenant_id,
        "CUSTOMER": new_tenant(),
    }
    for algorithm, make in KEYS.items():
        key, keyed = make(), new_client()
        private = key.as_pem(private=True).decode()
        note_secret(key.as_dict(private=True)["d"])
        gateway.data(root, ADD_KEY, {"id": keyed.id, "jwk": key.as_dict(private=False)})
        environment |= {f"{algorithm}_CLIENT_ID": keyed.client_id, f"{algorithm}_PRIVATE_KEY": private}
    ran = subprocess.run(
        ["node", "--test", *sorted(map(str, PLACE.glob("*.test.mjs")))],
        env=environment, capture_output=True, text=True, timeout=110,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# pass 0" not in ran.stdout
