"""what the clock asks of a million deliveries"""

import sqlalchemy as sa
from alembic import op

revision = "c1a0c4d1e5e7"
down_revision = "41b837bd872e"
branch_labels = None
depends_on = None

_FEW = {
    "late": ("latest_start", "state IN ('waiting', 'scheduled')"),
    "taken": ("lease_until", "state = 'scheduled' AND lease_until IS NOT NULL"),
    "begun": ("lease_until", "state IN ('claimed', 'sending')"),
    "looking": ("look_at", "state IN ('accepted', 'unconfirmed')"),
}


def upgrade() -> None:
    for name, (column, where) in _FEW.items():
        op.create_index(
            f"ix_delivery_{name}", "delivery", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )


def downgrade() -> None:
    for name in _FEW:
        op.drop_index(f"ix_delivery_{name}", "delivery")
