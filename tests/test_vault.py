import base64
import multiprocessing
import stat
from pathlib import Path

import pytest

from avatar_scheduler import signing, vault
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.vault import Belongs, Opener, Sealer

ADA = Belongs(organization="org-ada", channel="ch-1", field="password")


def keys(folder: Path) -> tuple[Sealer, Opener]:
    public, private = vault.make_keys(folder)
    return Sealer(public), Opener(private)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestSealing:
    def test_what_the_web_seals_the_worker_opens(self, tmp_path: Path) -> None:
        sealer, opener = keys(tmp_path / "keys")
        assert opener.open(sealer.seal("abcd-efgh-ß", ADA), ADA) == "abcd-efgh-ß"

    def test_the_same_secret_never_looks_the_same_twice(self, tmp_path: Path) -> None:
        sealer, _ = keys(tmp_path)
        assert sealer.seal("s3cret", ADA) != sealer.seal("s3cret", ADA)

    def test_a_sealed_text_does_not_show_its_secret(self, tmp_path: Path) -> None:
        sealer, _ = keys(tmp_path)
        sealed = sealer.seal("canary-canary", ADA)
        assert "canary" not in sealed
        assert b"canary" not in base64.urlsafe_b64decode(sealed.rpartition(".")[2])

    @pytest.mark.parametrize(
        "other",
        [
            Belongs("org-ben", "ch-1", "password"),
            Belongs("org-ada", "ch-2", "password"),
            Belongs("org-ada", "ch-1", "identifier"),
            Belongs("org-ad", "ach-1", "password"),
            Belongs('org-ada", "ch-1', "", "password"),
        ],
    )
    def test_a_secret_moved_elsewhere_does_not_open(self, tmp_path: Path, other: Belongs) -> None:
        sealer, opener = keys(tmp_path)
        with pytest.raises(Refused, match="Reconnect the channel"):
            opener.open(sealer.seal("s3cret", ADA), other)

    def test_every_changed_character_is_noticed(self, tmp_path: Path) -> None:
        sealer, opener = keys(tmp_path)
        sealed = sealer.seal("s3cret", ADA)
        for at in range(len(sealed)):
            changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
            with pytest.raises(Refused) as refused:
                opener.open(changed, ADA)
            assert refused.value.code == "sealed"

    def test_the_public_key_opens_nothing(self, tmp_path: Path) -> None:
        public, _ = vault.make_keys(tmp_path)
        public.chmod(0o600)
        with pytest.raises(Invalid, match="no private key"):
            Opener(public)

    def test_a_stranger_with_his_own_keys_opens_nothing(self, tmp_path: Path) -> None:
        sealer, _ = keys(tmp_path / "ours")
        _, stranger = keys(tmp_path / "theirs")
        with pytest.raises(Refused, match="No key here"):
            stranger.open(sealer.seal("s3cret", ADA), ADA)

    def test_after_a_change_of_keys_the_earlier_key_still_opens_what_it_sealed(self, tmp_path: Path) -> None:
        old_public, old_private = vault.make_keys(tmp_path / "2025")
        new_public, new_private = vault.make_keys(tmp_path / "2026")
        opener = Opener(new_private, earlier=[old_private])
        assert opener.open(Sealer(old_public).seal("before", ADA), ADA) == "before"
        assert opener.open(Sealer(new_public).seal("after", ADA), ADA) == "after"


def make_and_report(folder: Path, out: "multiprocessing.SimpleQueue[tuple[str, bytes, bytes]]") -> None:
    public, private = vault.make_keys(folder)
    signer = signing.make_signing_key(folder, "approval")
    out.put((signer, public.read_bytes(), private.read_bytes()))


class TestKeyFiles:
    def test_private_keys_are_for_their_owner_alone(self, tmp_path: Path) -> None:
        _, private = vault.make_keys(tmp_path / "keys")
        signing.make_signing_key(tmp_path / "keys", "approval")
        assert mode(tmp_path / "keys") == 0o700
        assert mode(private) == 0o600
        assert mode(tmp_path / "keys" / "sign-approval.private.pem") == 0o600

    def test_making_keys_again_keeps_them_and_leaves_no_drafts(self, tmp_path: Path) -> None:
        before = [p.read_bytes() for p in vault.make_keys(tmp_path)]
        assert [p.read_bytes() for p in vault.make_keys(tmp_path)] == before
        assert sorted(p.name for p in tmp_path.iterdir()) == ["vault.private.pem", "vault.public.pem"]

    def test_a_lost_public_key_comes_back_from_the_private_one(self, tmp_path: Path) -> None:
        public, _ = vault.make_keys(tmp_path)
        before = public.read_bytes()
        public.unlink()
        vault.make_keys(tmp_path)
        assert public.read_bytes() == before

    def test_a_private_key_others_can_read_is_not_used(self, tmp_path: Path) -> None:
        _, private = vault.make_keys(tmp_path)
        private.chmod(0o640)
        with pytest.raises(Invalid, match="chmod 600"):
            Opener(private)

    def test_processes_starting_together_agree_on_one_key(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        out: multiprocessing.SimpleQueue[tuple[str, bytes, bytes]] = context.SimpleQueue()
        processes = [context.Process(target=make_and_report, args=(tmp_path / "keys", out)) for _ in range(4)]
        for process in processes:
            process.start()
        made = {out.get() for _ in processes}
        for process in processes:
            process.join()
        assert len(made) == 1


class TestSigning:
    def test_a_signature_proves_its_payload(self, tmp_path: Path) -> None:
        public = signing.make_signing_key(tmp_path, "approval")
        signature = signing.sign(tmp_path, "approval", b"version 1")
        assert signing.verify(public, "approval", b"version 1", signature)
        assert not signing.verify(public, "approval", b"version 2", signature)

    def test_a_signature_for_one_purpose_is_worthless_for_another(self, tmp_path: Path) -> None:
        public = signing.make_signing_key(tmp_path, "approval")
        (tmp_path / "sign-media.private.pem").write_bytes((tmp_path / "sign-approval.private.pem").read_bytes())
        (tmp_path / "sign-media.private.pem").chmod(0o600)
        copied = signing.sign(tmp_path, "media", b"x")
        assert signing.verify(public, "media", b"x", copied)
        assert not signing.verify(public, "approval", b"x", copied)

    def test_purpose_and_payload_do_not_run_into_each_other(self, tmp_path: Path) -> None:
        public = signing.make_signing_key(tmp_path, "approval")
        signature = signing.sign(tmp_path, "approval", b"s")
        with pytest.raises(Invalid, match="no purpose"):
            signing.verify(public, "approval\ns", b"", signature)
        assert not signing.verify(public, "approvals", b"", signature)

    def test_another_key_proves_nothing(self, tmp_path: Path) -> None:
        signing.make_signing_key(tmp_path / "a", "approval")
        stranger = signing.make_signing_key(tmp_path / "b", "approval")
        assert not signing.verify(stranger, "approval", b"x", signing.sign(tmp_path / "a", "approval", b"x"))

    @pytest.mark.parametrize("rubbish", ["", "AAAA", "not base64!", "ü", "A" * 88, "=" * 88])
    def test_rubbish_is_no_signature_and_no_crash(self, tmp_path: Path, rubbish: str) -> None:
        assert not signing.verify(signing.make_signing_key(tmp_path, "approval"), "approval", b"x", rubbish)

    @pytest.mark.parametrize("purpose", ["", "../up", "Approval", "a b", "x" * 33])
    def test_a_purpose_is_a_plain_word(self, tmp_path: Path, purpose: str) -> None:
        with pytest.raises(Invalid, match="no purpose"):
            signing.make_signing_key(tmp_path, purpose)

    def test_a_sealing_key_cannot_check_signatures(self, tmp_path: Path) -> None:
        public, _ = vault.make_keys(tmp_path)
        with pytest.raises(Invalid):
            signing.verify(public.read_bytes(), "approval", b"x", "AAAA")
