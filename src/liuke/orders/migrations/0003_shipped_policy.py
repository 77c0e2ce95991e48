"""What may be ordered on a new site: 15 minutes to pay, three unpaid orders a person, guests up to 500 yuan."""

from django.db import migrations

POLICY = """
INSERT INTO orders_policy
    (pay_minutes, unpaid_per_person, unpaid_per_network, quantity_max, guest_payable_max_fen, set_at)
VALUES (15, 3, 10, 100, 50000, '2026-01-01T00:00:00Z')
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_guards")]
    operations = [migrations.RunSQL(POLICY, migrations.RunSQL.noop)]
