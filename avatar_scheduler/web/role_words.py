"""What each role is called, and what it lets somebody do, in one line."""

from dataclasses import dataclass

from avatar_scheduler.i18n import N_


@dataclass(frozen=True)
class RoleWords:
    word: str
    may: str


ROLES = {
    "owner": RoleWords(N_("Owner"), N_("Everything, and the people")),
    "admin": RoleWords(N_("Admin"), N_("Everything but the owners")),
    "manager": RoleWords(N_("Manager"), N_("Writes, schedules, approves what others wrote, connects accounts")),
    "editor": RoleWords(N_("Editor"), N_("Writes and schedules")),
    "approver": RoleWords(N_("Approver"), N_("Approves what others wrote")),
    "creator": RoleWords(N_("Creator"), N_("Is the person shown: approves, writes, consents")),
    "client": RoleWords(N_("Client"), N_("Comments and approves for their brand")),
    "analyst": RoleWords(N_("Analyst"), N_("Looks, changes nothing")),
    "auditor": RoleWords(N_("Auditor"), N_("Reads everything, and the whole log")),
}
