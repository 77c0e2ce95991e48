"""What the database itself refuses about the book, and the one function that posts an entry."""

from django.db import migrations

# Triggers on TRUNCATE stand apart, so that a test database may empty its tables without allowing UPDATE and DELETE.
APPEND_ONLY = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % of % is refused', TG_NAME, TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER an_entry_is_never_changed BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER a_leg_is_never_changed BEFORE UPDATE OR DELETE ON ledger_leg
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER a_day_is_never_changed BEFORE UPDATE OR DELETE ON ledger_day
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER a_checkpoint_is_never_changed BEFORE UPDATE OR DELETE ON ledger_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER an_account_is_never_deleted BEFORE DELETE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER a_reservation_is_never_deleted BEFORE DELETE ON ledger_reservation
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER entries_are_never_emptied BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER legs_are_never_emptied BEFORE TRUNCATE ON ledger_leg
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER accounts_are_never_emptied BEFORE TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER days_are_never_emptied BEFORE TRUNCATE ON ledger_day
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""
CHANGEABLE = """
DROP TRIGGER days_are_never_emptied ON ledger_day;
DROP TRIGGER accounts_are_never_emptied ON ledger_account;
DROP TRIGGER legs_are_never_emptied ON ledger_leg;
DROP TRIGGER entries_are_never_emptied ON ledger_entry;
DROP TRIGGER a_reservation_is_never_deleted ON ledger_reservation;
DROP TRIGGER an_account_is_never_deleted ON ledger_account;
DROP TRIGGER a_checkpoint_is_never_changed ON ledger_checkpoint;
DROP TRIGGER a_day_is_never_changed ON ledger_day;
DROP TRIGGER a_leg_is_never_changed ON ledger_leg;
DROP TRIGGER an_entry_is_never_changed ON ledger_entry;
DROP FUNCTION ledger_refuse();
"""

# An entry's legs come whole, in one statement, and balanced; the balances of guarded accounts follow them, locked by
# the update in the order of their ids. That an entry has legs at all, and a reversal exactly the opposite ones, is asked at commit.
LEGS = """
CREATE FUNCTION ledger_take_legs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken bigint;
    leg record;
BEGIN
    SELECT l.entry_id INTO broken
    FROM new_legs l LEFT JOIN ledger_account a ON a.id = l.account_id
    GROUP BY l.entry_id
    HAVING sum(l.amount_fen) <> 0 OR count(a.id) <> count(*) OR count(DISTINCT a.asset) <> 1
        OR count(*) <> (SELECT count(*) FROM ledger_leg whole WHERE whole.entry_id = l.entry_id)
        OR NOT EXISTS (SELECT FROM ledger_entry e WHERE e.id = l.entry_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the legs of entry % are not whole, balanced and of one asset', broken
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    FOR leg IN SELECT account_id, amount_fen FROM new_legs ORDER BY account_id LOOP
        UPDATE ledger_account SET balance_fen = balance_fen - leg.amount_fen
        WHERE id = leg.account_id AND balance_fen IS NOT NULL;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER legs_come_whole_and_balanced AFTER INSERT ON ledger_leg REFERENCING NEW TABLE AS new_legs
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_take_legs();

CREATE FUNCTION ledger_check_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_leg WHERE entry_id = NEW.id) THEN
        RAISE EXCEPTION 'entry % has no legs', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.reverses_id IS NOT NULL AND EXISTS (
        SELECT FROM (SELECT * FROM ledger_leg WHERE entry_id = NEW.id) l
        FULL JOIN (SELECT * FROM ledger_leg WHERE entry_id = NEW.reverses_id) undone USING (account_id)
        WHERE l.amount_fen IS DISTINCT FROM -undone.amount_fen
    ) THEN
        RAISE EXCEPTION 'entry % is not the opposite of entry %', NEW.id, NEW.reverses_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER an_entry_has_legs AFTER INSERT ON ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_entry();

CREATE TRIGGER an_account_opens_empty BEFORE INSERT ON ledger_account FOR EACH ROW
    WHEN (NEW.balance_fen <> 0 OR NEW.reserved_fen <> 0) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER only_legs_and_reservations_change_an_account BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN (pg_trigger_depth() = 0 OR (NEW.id, NEW.kind, NEW.owner, NEW.asset) <> (OLD.id, OLD.kind, OLD.owner, OLD.asset))
    EXECUTE FUNCTION ledger_refuse();
ALTER TABLE ledger_account SET (fillfactor = 80);
"""
NO_LEGS = """
ALTER TABLE ledger_account RESET (fillfactor);
DROP TRIGGER only_legs_and_reservations_change_an_account ON ledger_account;
DROP TRIGGER an_account_opens_empty ON ledger_account;
DROP TRIGGER an_entry_has_legs ON ledger_entry;
DROP TRIGGER legs_come_whole_and_balanced ON ledger_leg;
DROP FUNCTION ledger_check_entry();
DROP FUNCTION ledger_take_legs();
"""

# A reservation begins pending and is changed once, to its end; what is pending counts on the account it takes from.
RESERVATIONS = """
CREATE TRIGGER a_reservation_begins_pending BEFORE INSERT ON ledger_reservation FOR EACH ROW
    WHEN (NEW.state <> 'pending') EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER a_reservation_ends_once BEFORE UPDATE ON ledger_reservation FOR EACH ROW
    WHEN (OLD.state <> 'pending' OR NEW.state = 'pending'
          OR (NEW.id, NEW.key, NEW.debit_id, NEW.credit_id, NEW.amount_fen, NEW.expires_at)
             <> (OLD.id, OLD.key, OLD.debit_id, OLD.credit_id, OLD.amount_fen, OLD.expires_at))
    EXECUTE FUNCTION ledger_refuse();
CREATE FUNCTION ledger_take_reservations() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE direction int := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    PERFORM FROM ledger_account a WHERE a.id IN (SELECT debit_id FROM changed)
    ORDER BY a.id FOR NO KEY UPDATE;
    UPDATE ledger_account a SET reserved_fen = a.reserved_fen + direction * taken.amount_fen
    FROM (SELECT debit_id, sum(amount_fen)::bigint AS amount_fen FROM changed GROUP BY debit_id) taken
    WHERE a.id = taken.debit_id;
    RETURN NULL;
END $$;
CREATE TRIGGER a_new_reservation_counts AFTER INSERT ON ledger_reservation
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ledger_take_reservations();
CREATE TRIGGER an_ended_reservation_counts_no_more AFTER UPDATE ON ledger_reservation
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ledger_take_reservations();
"""
NO_RESERVATIONS = """
DROP TRIGGER an_ended_reservation_counts_no_more ON ledger_reservation;
DROP TRIGGER a_new_reservation_counts ON ledger_reservation;
DROP TRIGGER a_reservation_ends_once ON ledger_reservation;
DROP TRIGGER a_reservation_begins_pending ON ledger_reservation;
DROP FUNCTION ledger_take_reservations();
"""

# One round trip an entry. A key that is there already answers its entry; what the constraints named here refuse is
# undone and answered by the constraint's name, so that the caller's transaction lives on.
POST = """
CREATE FUNCTION ledger_post(
    new_key text, new_kind text, new_about text, new_reverses bigint, new_at timestamptz,
    kinds text[], owners text[], assets text[], guarded boolean[], amounts bigint[],
    OUT entry_id bigint, OUT is_new boolean, OUT refused text
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan  -- or each of its statements is planned anew for each array
AS $$
BEGIN
    INSERT INTO ledger_entry (key, kind, about, reverses_id, at)
    VALUES (new_key, new_kind, new_about, new_reverses, new_at)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO ledger_post.entry_id;
    is_new := FOUND;
    IF NOT is_new THEN
        SELECT id INTO ledger_post.entry_id FROM ledger_entry WHERE key = new_key;
        RETURN;
    END IF;
    INSERT INTO ledger_account (kind, owner, asset, balance_fen)
    SELECT named.kind, named.owner, named.asset, CASE WHEN named.is_guarded THEN 0 END
    FROM unnest(kinds, owners, assets, guarded) AS named(kind, owner, asset, is_guarded)
    WHERE NOT EXISTS (SELECT FROM ledger_account a WHERE (a.kind, a.owner, a.asset) = (named.kind, named.owner, named.asset))
    ORDER BY named.kind, named.owner
    ON CONFLICT DO NOTHING;
    INSERT INTO ledger_leg (entry_id, account_id, amount_fen)
    SELECT ledger_post.entry_id, a.id, named.amount_fen
    FROM unnest(kinds, owners, assets, amounts) AS named(kind, owner, asset, amount_fen)
    JOIN ledger_account a ON (a.kind, a.owner, a.asset) = (named.kind, named.owner, named.asset);
EXCEPTION WHEN check_violation OR unique_violation THEN
    GET STACKED DIAGNOSTICS refused = CONSTRAINT_NAME;
    IF refused NOT IN ('never_overdrawn', 'one_reversal_an_entry') THEN
        RAISE;
    END IF;
    entry_id := NULL;
    is_new := false;
END $$;
"""
NO_POST = "DROP FUNCTION ledger_post;"

# The chain: each day's hash is over the one before and over its entries with their legs.
CHAIN = """
CREATE FUNCTION ledger_day_hash(before bytea, after_id bigint, last_id bigint) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(before || coalesce(string_agg(sha256(convert_to(said::text, 'UTF8')), ''::bytea ORDER BY id), ''))
    FROM (
        SELECT e.id, jsonb_build_array(
            e.id, e.key, e.kind, e.about, e.reverses_id, extract(epoch FROM e.at),
            jsonb_agg(jsonb_build_array(a.kind, a.owner, a.asset, l.amount_fen) ORDER BY a.kind, a.owner)) AS said
        FROM ledger_entry e JOIN ledger_leg l ON l.entry_id = e.id JOIN ledger_account a ON a.id = l.account_id
        WHERE e.id > after_id AND e.id <= last_id GROUP BY e.id) entries
$$;
"""
NO_CHAIN = "DROP FUNCTION ledger_day_hash;"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_book")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        migrations.RunSQL(LEGS, NO_LEGS),
        migrations.RunSQL(RESERVATIONS, NO_RESERVATIONS),
        migrations.RunSQL(POST, NO_POST),
        migrations.RunSQL(CHAIN, NO_CHAIN),
    ]
