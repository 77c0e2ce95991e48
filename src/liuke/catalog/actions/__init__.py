"""What can be done to products and their stock."""

from liuke.catalog.actions.import_keys import Imported, import_keys
from liuke.catalog.actions.keys import mark_bad, reveal_key, revoke_batch, revoke_key
from liuke.catalog.actions.master_key import rotate_master_key, wrap_anew
from liuke.catalog.actions.products import (
    About,
    count_sold,
    edit_product,
    hide_product,
    list_product,
    make_product,
)
from liuke.catalog.actions.scenes import save_scene, set_reveals
from liuke.catalog.actions.stock import (
    TakenKey,
    expire_holds,
    extend_hold,
    hold_stock,
    release_hold,
    take_stock,
)
from liuke.catalog.actions.variants import (
    add_stock,
    edit_variant,
    make_variant,
    set_parts,
    set_variant_state,
)
from liuke.catalog.actions.watch import watch_stock
from liuke.catalog.actions.wishes import ask_when_back, follow, forget_wishes, unfollow

__all__ = [
    "About",
    "Imported",
    "TakenKey",
    "add_stock",
    "ask_when_back",
    "count_sold",
    "edit_product",
    "edit_variant",
    "expire_holds",
    "extend_hold",
    "follow",
    "forget_wishes",
    "hide_product",
    "hold_stock",
    "import_keys",
    "list_product",
    "make_product",
    "make_variant",
    "mark_bad",
    "release_hold",
    "reveal_key",
    "revoke_batch",
    "revoke_key",
    "rotate_master_key",
    "save_scene",
    "set_parts",
    "set_reveals",
    "set_variant_state",
    "take_stock",
    "unfollow",
    "watch_stock",
    "wrap_anew",
]
