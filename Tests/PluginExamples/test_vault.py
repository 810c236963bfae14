import os
import ssl
import unittest

from harness import PluginCase, certificate
from vault_emulator import Vault


class VaultTests(PluginCase):
    plugin, command = "vault", ["python3", "vault.py"]

    def vault(self, **options):
        vault = Vault(**options)
        self.addCleanup(vault.close)
        return vault

    def started(self, vault, **configuration):
        ways = configuration or {"token": "root"}
        if not {"token", "token-file", "role-id"} & set(ways):
            ways["token"] = "root"
        return self.run_plugin({"address": f"http://127.0.0.1:{vault.port}", **ways})

    @staticmethod
    def read(plugin, path, field=None):
        return plugin.call("secrets/read", {"path": path, **({"field": field} if field else {})})

    def test_secrets_of_both_versions_of_kv_and_of_dynamic_engines_are_read_with_their_lease(self):
        vault = self.vault()
        plugin = self.started(vault, refresh=120)
        self.assertEqual(self.read(plugin, "kv/hub", "token"), {"value": "one", "expiresIn": 120})
        self.assertEqual(self.read(plugin, "secret/hub", "token"), {"value": "two", "expiresIn": 120})
        self.assertEqual(self.read(plugin, "secret/data/hub", "token")["value"], "two")
        self.assertEqual(self.read(plugin, "/team/apps/hub", "token")["value"], "nested")
        self.assertEqual(self.read(plugin, "database/creds/hub", "password"), {"value": "p-1", "expiresIn": 60})
        self.assertEqual(self.read(plugin, "secret/hub", "port")["value"], "8200")
        self.assertEqual(self.read(plugin, "secret/single")["value"], "alone")
        mounts = [path for path in vault.paths() if "internal/ui/mounts" in path]
        self.assertEqual(len(mounts), 4, "the version of a mount is asked for once")
        self.assertEqual(plugin.end(), 0)

    def test_what_is_not_there_is_not_found_and_says_which_fields_there_are(self):
        plugin = self.started(self.vault())
        for path in ["secret/nothing", "secret/gone", "kv/nothing"]:
            self.refused(-32001, lambda path=path: self.read(plugin, path, "token"))
        self.assertIn("port, token", self.refused(-32001, lambda: self.read(plugin, "secret/hub", "other")).message)
        self.assertIn("port, token", self.refused(-32002, lambda: self.read(plugin, "secret/hub")).message)
        self.refused(-32004, lambda: self.read(plugin, "unmounted/hub", "token"))
        for path in ["secret/../sys/seal", "", "a//b"]:
            self.refused(-32002, lambda path=path: self.read(plugin, path))
        self.refused(-32602, lambda: plugin.call("secrets/read", {"path": 7}))

    def test_a_vault_that_is_sealed_broken_or_busy_is_asked_again_and_its_health_says_so(self):
        vault = self.vault()
        plugin = self.started(vault)
        self.assertEqual(plugin.call("health"), {"status": "ok"})
        vault.is_sealed = True
        self.assertIn("sealed", self.refused(-32003, lambda: self.read(plugin, "secret/hub", "token")).message)
        self.assertEqual(plugin.call("health"), {"status": "failing", "detail": "Vault is sealed"})
        vault.is_sealed, vault.broken = False, 500
        self.refused(-32003, lambda: self.read(plugin, "secret/hub", "token"))
        vault.broken, vault.limited = None, True
        self.assertEqual(self.refused(-32006, lambda: self.read(plugin, "secret/hub", "token")).data, {"retryAfter": 3})
        vault.limited = False
        self.assertEqual(self.read(plugin, "secret/hub", "token")["value"], "two")
        vault.close()
        self.refused(-32003, lambda: self.read(plugin, "secret/hub", "token"))
        self.assertEqual(plugin.call("health")["status"], "failing")

    def test_a_token_of_a_role_is_kept_renewed_in_time_and_had_anew_where_it_was_revoked(self):
        vault = self.vault()
        plugin = self.started(vault, **{"role-id": "role-1", "secret-id": "secret-1"})
        for _ in range(3):
            self.read(plugin, "secret/hub", "token")
        self.assertEqual((vault.logins, vault.renewals), (1, 0))
        vault.tokens = {}
        self.assertEqual(self.read(plugin, "secret/hub", "token")["value"], "two")
        self.assertEqual(vault.logins, 2)
        # Lives so short that two thirds are over at once.
        vault.ttl, vault.tokens = 1, {}
        self.read(plugin, "secret/hub", "token")
        self.assertEqual(vault.logins, 3)
        vault.ttl = 3600
        while vault.renewals == 0:
            self.read(plugin, "secret/hub", "token")
        self.assertEqual((vault.logins, vault.renewals), (3, 1))

    def test_a_token_that_cannot_be_renewed_is_had_anew(self):
        vault = self.vault()
        vault.ttl, vault.renewable = 1, False
        plugin = self.started(vault, **{"role-id": "role-1", "secret-id": "secret-1"})
        while vault.logins < 2:
            self.read(plugin, "secret/hub", "token")
        self.assertEqual(vault.renewals, 0)

    def test_wrong_credentials_are_refused_and_shown_nowhere(self):
        vault = self.vault()
        plugin = self.started(vault, token="hvs.wrongtoken")
        refusal = self.refused(-32004, lambda: self.read(plugin, "secret/hub", "token"))
        self.assertNotIn("wrongtoken", refusal.message + "".join(plugin.log))
        plugin = self.started(vault, **{"role-id": "role-1", "secret-id": "wrongsecret"})
        refusal = self.refused(-32002, lambda: self.read(plugin, "secret/hub", "token"))
        self.assertNotIn("wrongsecret", refusal.message + "".join(plugin.log))

    def test_a_token_file_is_read_again_when_its_token_is_refused(self):
        vault = self.vault()
        path = os.path.join(self.directory, "token")
        with open(path, "w", encoding="ascii") as file:
            file.write(vault.issue() + "\n")
        plugin = self.started(vault, **{"token-file": path})
        self.read(plugin, "secret/hub", "token")
        vault.tokens = {}
        self.refused(-32004, lambda: self.read(plugin, "secret/hub", "token"))
        with open(path, "w", encoding="ascii") as file:
            file.write(vault.issue())
        self.assertEqual(self.read(plugin, "secret/hub", "token")["value"], "two")

    def test_a_namespace_is_named_in_each_request(self):
        vault = self.vault(namespace="acme")
        self.assertEqual(self.read(self.started(vault, namespace="acme"), "secret/hub", "token")["value"], "two")
        self.refused(-32001, lambda: self.read(self.started(vault), "secret/hub", "token"))

    def test_a_certificate_of_an_authority_of_ones_own_is_trusted_where_it_is_named(self):
        pem, ca = certificate(self.directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        vault = self.vault(context=context)
        address = {"address": f"https://localhost:{vault.port}", "token": "root"}
        self.assertEqual(self.read(self.run_plugin({**address, "ca-file": ca}), "secret/hub", "token")["value"], "two")
        refusal = self.refused(-32003, lambda: self.read(self.run_plugin(address), "secret/hub", "token"))
        self.assertIn("not trusted", refusal.message)

    def test_what_is_no_way_to_log_in_is_refused_at_the_start(self):
        for wrong in [{}, {"role-id": "a"}, {"token": "a", "token-file": "b"}, {"token": "a", "secret-id": "b"}]:
            with self.subTest(wrong=wrong):
                self.refused(-32602, lambda wrong=wrong: self.run_plugin().initialize({"address": "http://127.0.0.1:1", **wrong}))


if __name__ == "__main__":
    unittest.main()
