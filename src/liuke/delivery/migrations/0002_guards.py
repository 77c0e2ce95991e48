from django.db import migrations

GUARDS = """
CREATE FUNCTION delivery_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % of % is refused', TG_NAME, TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER a_delivery_goes_its_way BEFORE UPDATE ON delivery_delivery FOR EACH ROW WHEN (
    (NEW.order_id, NEW.line_id, NEW.promised_at) IS DISTINCT FROM (OLD.order_id, OLD.line_id, OLD.promised_at)
    OR NEW.refunded_fen < OLD.refunded_fen OR NEW.returned_goods_fen < OLD.returned_goods_fen
    OR (NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('waiting', 'delivered'), ('waiting', 'returned'), ('delivered', 'accepted'), ('delivered', 'returned')))
    OR (OLD.state IN ('accepted', 'returned') AND (NEW.refunded_fen, NEW.returned_goods_fen)
        IS DISTINCT FROM (OLD.refunded_fen, OLD.returned_goods_fen)))
    EXECUTE FUNCTION delivery_refuse();
CREATE TRIGGER a_delivery_is_never_deleted BEFORE DELETE ON delivery_delivery
    FOR EACH STATEMENT EXECUTE FUNCTION delivery_refuse();

-- What was seen stays seen, and a key stays where it went.
CREATE TRIGGER a_delivered_key_stays BEFORE UPDATE ON delivery_delivered_key FOR EACH ROW WHEN (
    (NEW.delivery_id, NEW.key_id, NEW.seq) IS DISTINCT FROM (OLD.delivery_id, OLD.key_id, OLD.seq)
    OR (OLD.revealed_at IS NOT NULL AND NEW.revealed_at IS DISTINCT FROM OLD.revealed_at)
    OR (OLD.tried_at IS NOT NULL AND NEW.tried_at IS DISTINCT FROM OLD.tried_at)
    OR (OLD.returned_at IS NOT NULL AND NEW.returned_at IS DISTINCT FROM OLD.returned_at))
    EXECUTE FUNCTION delivery_refuse();
CREATE TRIGGER a_delivered_key_is_never_deleted BEFORE DELETE ON delivery_delivered_key
    FOR EACH STATEMENT EXECUTE FUNCTION delivery_refuse();

CREATE TRIGGER steps_are_never_changed BEFORE UPDATE OR DELETE ON delivery_step
    FOR EACH STATEMENT EXECUTE FUNCTION delivery_refuse();
CREATE TRIGGER a_rejection_is_settled_once BEFORE UPDATE ON delivery_rejection FOR EACH ROW WHEN (
    OLD.state <> 'open' OR NEW.state = 'open'
    OR (NEW.reference, NEW.delivery_id, NEW.key_id, NEW.person_id, NEW.reason, NEW.rejected_at)
        IS DISTINCT FROM (OLD.reference, OLD.delivery_id, OLD.key_id, OLD.person_id, OLD.reason, OLD.rejected_at))
    EXECUTE FUNCTION delivery_refuse();
CREATE TRIGGER a_rejection_is_never_deleted BEFORE DELETE ON delivery_rejection
    FOR EACH STATEMENT EXECUTE FUNCTION delivery_refuse();
"""
NO_GUARDS = """
DROP TRIGGER a_rejection_is_never_deleted ON delivery_rejection;
DROP TRIGGER a_rejection_is_settled_once ON delivery_rejection;
DROP TRIGGER steps_are_never_changed ON delivery_step;
DROP TRIGGER a_delivered_key_is_never_deleted ON delivery_delivered_key;
DROP TRIGGER a_delivered_key_stays ON delivery_delivered_key;
DROP TRIGGER a_delivery_is_never_deleted ON delivery_delivery;
DROP TRIGGER a_delivery_goes_its_way ON delivery_delivery;
DROP FUNCTION delivery_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_deliveries")]
    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
