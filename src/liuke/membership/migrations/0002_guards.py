from django.db import migrations

GUARDS = """
CREATE FUNCTION membership_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % of % is refused', TG_NAME, TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER level_moves_are_never_changed BEFORE UPDATE OR DELETE ON membership_level_move
    FOR EACH STATEMENT EXECUTE FUNCTION membership_refuse();

-- free → locked → used, and back to free from both: a cancelled order, a refunded one.
CREATE TRIGGER a_coupon_goes_its_way BEFORE UPDATE ON membership_coupon FOR EACH ROW WHEN (
    (NEW.reference, NEW.kind_id, NEW.person_id, NEW.number, NEW.granted_at, NEW.expires_at)
        IS DISTINCT FROM (OLD.reference, OLD.kind_id, OLD.person_id, OLD.number, OLD.granted_at, OLD.expires_at)
    OR (OLD.state, NEW.state) NOT IN (('free', 'locked'), ('locked', 'used'), ('locked', 'free'), ('used', 'free'))
    OR (NEW.state = 'used' AND (NEW.order_ref, NEW.off_fen) IS DISTINCT FROM (OLD.order_ref, OLD.off_fen)))
    EXECUTE FUNCTION membership_refuse();
CREATE TRIGGER a_coupon_starts_free BEFORE INSERT ON membership_coupon FOR EACH ROW WHEN (NEW.state <> 'free')
    EXECUTE FUNCTION membership_refuse();
CREATE TRIGGER a_coupon_is_never_deleted BEFORE DELETE ON membership_coupon
    FOR EACH STATEMENT EXECUTE FUNCTION membership_refuse();

-- What was offered stays what it was; it can only end earlier.
CREATE TRIGGER an_offer_only_ends BEFORE UPDATE ON membership_offer FOR EACH ROW WHEN (
    (NEW.reference, NEW.kind, NEW.scene_id, NEW.product_id, NEW.variant_id, NEW.gift_variant_id, NEW.gift_quantity,
     NEW.min_payable_fen, NEW.percent_off, NEW.off_fen, NEW.price_fen, NEW.quantity_max, NEW.starts_at)
    IS DISTINCT FROM
    (OLD.reference, OLD.kind, OLD.scene_id, OLD.product_id, OLD.variant_id, OLD.gift_variant_id, OLD.gift_quantity,
     OLD.min_payable_fen, OLD.percent_off, OLD.off_fen, OLD.price_fen, OLD.quantity_max, OLD.starts_at))
    EXECUTE FUNCTION membership_refuse();
CREATE TRIGGER a_grant_is_never_changed BEFORE UPDATE OR DELETE ON membership_offer_grant
    FOR EACH STATEMENT EXECUTE FUNCTION membership_refuse();
CREATE TRIGGER a_use_is_only_returned BEFORE UPDATE ON membership_offer_use FOR EACH ROW WHEN (
    OLD.returned_at IS NOT NULL
    OR (NEW.offer_id, NEW.grant_id, NEW.kind, NEW.person_id, NEW.order_ref, NEW.at)
        IS DISTINCT FROM (OLD.offer_id, OLD.grant_id, OLD.kind, OLD.person_id, OLD.order_ref, OLD.at))
    EXECUTE FUNCTION membership_refuse();
CREATE TRIGGER a_use_is_never_deleted BEFORE DELETE ON membership_offer_use
    FOR EACH STATEMENT EXECUTE FUNCTION membership_refuse();
"""
NO_GUARDS = """
DROP TRIGGER a_use_is_never_deleted ON membership_offer_use;
DROP TRIGGER a_use_is_only_returned ON membership_offer_use;
DROP TRIGGER a_grant_is_never_changed ON membership_offer_grant;
DROP TRIGGER an_offer_only_ends ON membership_offer;
DROP TRIGGER a_coupon_is_never_deleted ON membership_coupon;
DROP TRIGGER a_coupon_starts_free ON membership_coupon;
DROP TRIGGER a_coupon_goes_its_way ON membership_coupon;
DROP TRIGGER level_moves_are_never_changed ON membership_level_move;
DROP FUNCTION membership_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("membership", "0001_levels_and_coupons")]
    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
