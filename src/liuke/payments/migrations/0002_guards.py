from django.db import migrations

GUARDS = """
CREATE FUNCTION payments_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % of % is refused', TG_NAME, TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER a_payment_starts_open BEFORE INSERT ON payments_payment FOR EACH ROW
    WHEN (NEW.state <> 'open') EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER a_payment_stays_as_begun BEFORE UPDATE ON payments_payment FOR EACH ROW WHEN (
    (NEW.id, NEW.reference, NEW.order_id, NEW.gateway, NEW.amount_fen, NEW.currency)
    <> (OLD.id, OLD.reference, OLD.order_id, OLD.gateway, OLD.amount_fen, OLD.currency)
    OR (OLD.state = 'paid' AND (NEW.trade_no, NEW.pays_order, NEW.paid_at) <> (OLD.trade_no, OLD.pays_order, OLD.paid_at))
    OR (NEW.refunded_fen <> OLD.refunded_fen AND pg_trigger_depth() = 0))
    EXECUTE FUNCTION payments_refuse();
-- Money may still come for a payment that was closed.
CREATE TRIGGER a_payment_goes_its_way BEFORE UPDATE OF state ON payments_payment FOR EACH ROW WHEN (
    NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('open', 'paid'), ('open', 'closed'), ('open', 'odd'), ('closed', 'paid'), ('closed', 'odd')))
    EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER a_payment_is_never_deleted BEFORE DELETE ON payments_payment
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();

CREATE TRIGGER a_notice_is_kept_as_it_came BEFORE UPDATE ON payments_gateway_notice FOR EACH ROW WHEN (
    OLD.became <> '' OR (NEW.gateway, NEW.notice_id, NEW.raw, NEW.received_at)
    <> (OLD.gateway, OLD.notice_id, OLD.raw, OLD.received_at))
    EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER a_notice_is_never_deleted BEFORE DELETE ON payments_gateway_notice
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();

CREATE TRIGGER a_discrepancy_is_settled_once BEFORE UPDATE ON payments_discrepancy FOR EACH ROW WHEN (
    OLD.settled_at IS NOT NULL OR (NEW.kind, NEW.gateway, NEW.trade_no, NEW.amount_fen, NEW.is_booked)
    <> (OLD.kind, OLD.gateway, OLD.trade_no, OLD.amount_fen, OLD.is_booked))
    EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER a_discrepancy_is_never_deleted BEFORE DELETE ON payments_discrepancy
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();

CREATE TRIGGER a_refund_starts_pending BEFORE INSERT ON payments_refund FOR EACH ROW
    WHEN (NEW.state <> 'pending') EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER a_refund_stays_as_promised BEFORE UPDATE ON payments_refund FOR EACH ROW WHEN (
    OLD.state = 'done' OR (OLD.state = 'failed' AND NEW.state = 'failed')
    OR (NEW.id, NEW.reference, NEW.owner, NEW.gateway, NEW.trade_no, NEW.amount_fen)
       <> (OLD.id, OLD.reference, OLD.owner, OLD.gateway, OLD.trade_no, OLD.amount_fen)
    OR (NEW.payment_id, NEW.discrepancy_id) IS DISTINCT FROM (OLD.payment_id, OLD.discrepancy_id))
    EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER a_refund_is_never_deleted BEFORE DELETE ON payments_refund
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();

-- The payment knows what went back of it, and its CHECK bounds the sum, however many ask at once.
CREATE FUNCTION payments_count_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payments_payment SET refunded_fen = refunded_fen + NEW.amount_fen WHERE id = NEW.payment_id;
    RETURN NULL;
END $$;
CREATE TRIGGER a_refund_counts_on_its_payment AFTER INSERT ON payments_refund FOR EACH ROW
    WHEN (NEW.payment_id IS NOT NULL) EXECUTE FUNCTION payments_count_refund();
"""
NO_GUARDS = """
DROP TRIGGER a_refund_counts_on_its_payment ON payments_refund;
DROP FUNCTION payments_count_refund();
DROP TRIGGER a_refund_is_never_deleted ON payments_refund;
DROP TRIGGER a_refund_stays_as_promised ON payments_refund;
DROP TRIGGER a_refund_starts_pending ON payments_refund;
DROP TRIGGER a_discrepancy_is_never_deleted ON payments_discrepancy;
DROP TRIGGER a_discrepancy_is_settled_once ON payments_discrepancy;
DROP TRIGGER a_notice_is_never_deleted ON payments_gateway_notice;
DROP TRIGGER a_notice_is_kept_as_it_came ON payments_gateway_notice;
DROP TRIGGER a_payment_is_never_deleted ON payments_payment;
DROP TRIGGER a_payment_goes_its_way ON payments_payment;
DROP TRIGGER a_payment_stays_as_begun ON payments_payment;
DROP TRIGGER a_payment_starts_open ON payments_payment;
DROP FUNCTION payments_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_payments")]
    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
