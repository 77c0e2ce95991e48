from django.db import migrations

GUARDS = """
CREATE FUNCTION orders_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % of % is refused', TG_NAME, TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER an_order_starts_placed BEFORE INSERT ON orders_order FOR EACH ROW WHEN (NEW.state <> 'placed')
    EXECUTE FUNCTION orders_refuse();
-- What was agreed stays; a guest's order may change hands, and is told by another key then (whose is asked by the audit).
CREATE TRIGGER an_order_stays_as_agreed BEFORE UPDATE ON orders_order FOR EACH ROW WHEN (
    (NEW.reference, NEW.content, NEW.list_fen, NEW.goods_fen, NEW.payable_fen, NEW.subsidy_fen,
     NEW.coupon_ref, NEW.placed_at, NEW.expires_at)
    IS DISTINCT FROM
    (OLD.reference, OLD.content, OLD.list_fen, OLD.goods_fen, OLD.payable_fen, OLD.subsidy_fen,
     OLD.coupon_ref, OLD.placed_at, OLD.expires_at)
    OR NEW.refunded_fen < OLD.refunded_fen
    OR (OLD.guest_index IS NULL AND (NEW.member_id, NEW.person_id, NEW.guest_index, NEW.key)
        IS DISTINCT FROM (OLD.member_id, OLD.person_id, OLD.guest_index, OLD.key)))
    EXECUTE FUNCTION orders_refuse();
-- Money that comes after the time is up can still pay an order that only time has cancelled.
CREATE TRIGGER an_order_goes_its_way BEFORE UPDATE OF state ON orders_order FOR EACH ROW WHEN (
    NEW.state <> OLD.state
    AND (OLD.state, NEW.state) NOT IN (
        ('placed', 'paid'), ('placed', 'cancelled'), ('paid', 'delivered'), ('delivered', 'completed'),
        ('paid', 'refunded'), ('delivered', 'refunded'))
    AND NOT (OLD.state = 'cancelled' AND OLD.cancel_reason = 'expired' AND NEW.state = 'paid'))
    EXECUTE FUNCTION orders_refuse();
CREATE TRIGGER what_happened_to_an_order_stays BEFORE UPDATE ON orders_order FOR EACH ROW WHEN (
    (OLD.paid_at IS NOT NULL AND NEW.paid_at IS DISTINCT FROM OLD.paid_at)
    OR (OLD.delivered_at IS NOT NULL AND NEW.delivered_at IS DISTINCT FROM OLD.delivered_at)
    OR (OLD.completed_at IS NOT NULL AND NEW.completed_at IS DISTINCT FROM OLD.completed_at)
    OR (OLD.refunded_at IS NOT NULL AND NEW.refunded_at IS DISTINCT FROM OLD.refunded_at))
    EXECUTE FUNCTION orders_refuse();
CREATE TRIGGER an_order_is_never_deleted BEFORE DELETE ON orders_order
    FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse();

-- Of a line only answers are forgotten: secrets when they were needed, the others when somebody is erased.
CREATE TRIGGER a_line_is_never_changed BEFORE UPDATE ON orders_line FOR EACH ROW WHEN (
    NEW.secrets_sealed IS NOT NULL OR (NEW.answers <> OLD.answers AND NEW.answers <> '{}')
    OR to_jsonb(NEW) - 'secrets_sealed' - 'answers' IS DISTINCT FROM to_jsonb(OLD) - 'secrets_sealed' - 'answers')
    EXECUTE FUNCTION orders_refuse();
CREATE TRIGGER a_line_is_never_deleted BEFORE DELETE ON orders_line
    FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse();

-- When a transaction ends, an order is the sum of its lines.
CREATE FUNCTION orders_check_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM orders_order o WHERE o.id = NEW.order_id AND (o.list_fen, o.goods_fen, o.payable_fen) = (
        SELECT sum(l.list_fen), sum(l.goods_fen), sum(l.total_fen) FROM orders_line l WHERE l.order_id = o.id);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an order is the sum of its lines: order % is not', NEW.order_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER an_order_is_the_sum_of_its_lines AFTER INSERT ON orders_line
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION orders_check_sum();
"""
NO_GUARDS = """
DROP TRIGGER an_order_is_the_sum_of_its_lines ON orders_line;
DROP FUNCTION orders_check_sum();
DROP TRIGGER a_line_is_never_deleted ON orders_line;
DROP TRIGGER a_line_is_never_changed ON orders_line;
DROP TRIGGER an_order_is_never_deleted ON orders_order;
DROP TRIGGER what_happened_to_an_order_stays ON orders_order;
DROP TRIGGER an_order_goes_its_way ON orders_order;
DROP TRIGGER an_order_stays_as_agreed ON orders_order;
DROP TRIGGER an_order_starts_placed ON orders_order;
DROP FUNCTION orders_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_orders")]
    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
