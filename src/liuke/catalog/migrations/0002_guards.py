"""What no writer may do to products, stock and card keys, whoever they are."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION catalog_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % of % is refused', TG_NAME, TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- What keys are sealed for, and what kind of stock there is, never changes: so the checks below cannot be outrun.
CREATE TRIGGER a_product_keeps_its_merchant_and_kind BEFORE UPDATE ON catalog_product
    FOR EACH ROW WHEN (NEW.merchant_id <> OLD.merchant_id OR NEW.kind <> OLD.kind)
    EXECUTE FUNCTION catalog_refuse();
CREATE TRIGGER a_variant_keeps_its_product_and_stock_kind BEFORE UPDATE ON catalog_variant
    FOR EACH ROW WHEN (NEW.product_id <> OLD.product_id OR NEW.stock_kind <> OLD.stock_kind)
    EXECUTE FUNCTION catalog_refuse();
CREATE FUNCTION catalog_check_variant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stock_kind <> 'bundle' AND EXISTS (
        SELECT 1 FROM catalog_product
        WHERE id = NEW.product_id AND (kind = 'card_key') <> (NEW.stock_kind = 'keys')) THEN
        RAISE EXCEPTION 'card keys, and nothing else, are stocked as keys'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stock_fits_the_product BEFORE INSERT ON catalog_variant
    FOR EACH ROW EXECUTE FUNCTION catalog_check_variant();
CREATE FUNCTION catalog_check_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1
        FROM catalog_variant b JOIN catalog_product bp ON bp.id = b.product_id
        CROSS JOIN catalog_variant p JOIN catalog_product pp ON pp.id = p.product_id
        WHERE b.id = NEW.bundle_id AND p.id = NEW.part_id AND b.stock_kind = 'bundle'
          AND p.stock_kind <> 'bundle' AND (pp.merchant_id, pp.kind) = (bp.merchant_id, bp.kind)) THEN
        RAISE EXCEPTION 'a bundle holds plain variants of its own merchant and kind'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_part_fits_its_bundle BEFORE INSERT OR UPDATE ON catalog_bundle_part
    FOR EACH ROW EXECUTE FUNCTION catalog_check_part();

CREATE FUNCTION catalog_quantity_prices_fall(prices jsonb, price_fen bigint) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    step jsonb; last_from bigint := 1; last_fen bigint := price_fen;
BEGIN
    IF jsonb_typeof(prices) <> 'array' OR jsonb_array_length(prices) > 9 THEN
        RETURN false;
    END IF;
    FOR step IN SELECT value FROM jsonb_array_elements(prices) LOOP
        IF jsonb_typeof(step) <> 'array' OR jsonb_array_length(step) <> 2
           OR jsonb_typeof(step->0) <> 'number' OR jsonb_typeof(step->1) <> 'number'
           OR step->>0 !~ '^[0-9]{1,9}$' OR step->>1 !~ '^[0-9]{1,9}$' THEN
            RETURN false;
        END IF;
        IF (step->>0)::bigint <= last_from OR (step->>1)::bigint > last_fen THEN
            RETURN false;
        END IF;
        last_from := (step->>0)::bigint;
        last_fen := (step->>1)::bigint;
    END LOOP;
    RETURN true;
END $$;
ALTER TABLE catalog_variant ADD CONSTRAINT more_never_costs_more_each
    CHECK (catalog_quantity_prices_fall(quantity_prices, price_fen));
ALTER TABLE catalog_product ADD CONSTRAINT an_order_form_is_a_short_list
    CHECK (jsonb_typeof(order_form) = 'array' AND jsonb_array_length(order_form) <= 12);

CREATE TRIGGER a_key_comes_in_free BEFORE INSERT ON catalog_card_key
    FOR EACH ROW WHEN (NEW.state <> 'free') EXECUTE FUNCTION catalog_refuse();
CREATE TRIGGER a_key_stays_itself BEFORE UPDATE ON catalog_card_key
    FOR EACH ROW WHEN (
        NEW.id <> OLD.id OR NEW.merchant_id <> OLD.merchant_id OR NEW.variant_id <> OLD.variant_id
        OR NEW.batch_id <> OLD.batch_id OR NEW.sealed <> OLD.sealed
        OR NEW.merchant_index <> OLD.merchant_index OR NEW.platform_index <> OLD.platform_index)
    EXECUTE FUNCTION catalog_refuse();
CREATE TRIGGER a_key_is_delivered_once BEFORE UPDATE ON catalog_card_key
    FOR EACH ROW WHEN (
        (OLD.delivered_at IS NOT NULL AND (
            NEW.line_id IS DISTINCT FROM OLD.line_id OR NEW.seq IS DISTINCT FROM OLD.seq
            OR NEW.delivered_at IS DISTINCT FROM OLD.delivered_at))
        OR (OLD.delivered_at IS NULL AND NEW.delivered_at IS NOT NULL
            AND (OLD.state <> 'held' OR NEW.line_id <> OLD.line_id))
        OR (OLD.state IN ('revoked', 'bad') AND NEW.state <> OLD.state))
    EXECUTE FUNCTION catalog_refuse();
CREATE TRIGGER a_key_is_never_deleted BEFORE DELETE ON catalog_card_key
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse();
CREATE TRIGGER a_batch_is_only_wrapped_anew BEFORE UPDATE ON catalog_key_batch
    FOR EACH ROW WHEN (
        NEW.merchant_id <> OLD.merchant_id OR NEW.variant_id <> OLD.variant_id
        OR NEW.key_count <> OLD.key_count OR NEW.master_version < OLD.master_version)
    EXECUTE FUNCTION catalog_refuse();
CREATE TRIGGER a_batch_is_never_deleted BEFORE DELETE ON catalog_key_batch
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse();
CREATE TRIGGER what_was_taken_stays_taken BEFORE UPDATE OR DELETE ON catalog_hold
    FOR EACH ROW WHEN (OLD.taken_at IS NOT NULL) EXECUTE FUNCTION catalog_refuse();
CREATE TRIGGER key_access_is_never_changed BEFORE UPDATE OR DELETE ON catalog_key_access
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse();
"""
NO_GUARDS = """
DROP TRIGGER key_access_is_never_changed ON catalog_key_access;
DROP TRIGGER what_was_taken_stays_taken ON catalog_hold;
DROP TRIGGER a_batch_is_never_deleted ON catalog_key_batch;
DROP TRIGGER a_batch_is_only_wrapped_anew ON catalog_key_batch;
DROP TRIGGER a_key_is_never_deleted ON catalog_card_key;
DROP TRIGGER a_key_is_delivered_once ON catalog_card_key;
DROP TRIGGER a_key_stays_itself ON catalog_card_key;
DROP TRIGGER a_key_comes_in_free ON catalog_card_key;
ALTER TABLE catalog_product DROP CONSTRAINT an_order_form_is_a_short_list;
ALTER TABLE catalog_variant DROP CONSTRAINT more_never_costs_more_each;
DROP FUNCTION catalog_quantity_prices_fall(jsonb, bigint);
DROP TRIGGER a_part_fits_its_bundle ON catalog_bundle_part;
DROP FUNCTION catalog_check_part();
DROP TRIGGER stock_fits_the_product ON catalog_variant;
DROP FUNCTION catalog_check_variant();
DROP TRIGGER a_variant_keeps_its_product_and_stock_kind ON catalog_variant;
DROP TRIGGER a_product_keeps_its_merchant_and_kind ON catalog_product;
DROP FUNCTION catalog_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_products")]

    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
