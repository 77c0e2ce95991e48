"""In which words do we speak of deliveries, and who decides about a rejection?"""

from __future__ import annotations

DELIVERY_STATES = ("waiting", "delivered", "accepted", "returned")
REJECT_REASONS = ("does_not_work", "already_used", "wrong_item", "not_as_described", "too_late")
REJECTION_STATES = ("open", "granted", "refused")
STEP_LETTERS = 1000
NOTE_LETTERS = 500
