import time, pytest
from django.db import connection, transaction
from liuke.people import actions
from liuke.base import ids
@pytest.mark.django_db
@pytest.mark.parametrize("n",[200_000, 1_000_000])
def test_m(n, capsys):
    with connection.cursor() as c:
        c.execute("INSERT INTO people_member (id, person_id, reference, source, external_id, enrolled_at) SELECT g, g, 'R'||g, 'main', 'm'||g, '2026-01-01' FROM generate_series(1,%s) g", [n])
        c.execute("ANALYZE people_member")
        c.execute("INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, at) SELECT g, 'sms','marketing', false,'member','','2026-01-01' FROM generate_series(1,%s,100) g",[n])
    out=[]
    for ch in (["sms"],["list","email"]):
        t=time.perf_counter(); got=actions.attest_consent(source="main", channels=ch, statement="x", by=None); out.append((n,ch,got,round(time.perf_counter()-t,1)))
    t=time.perf_counter(); got=actions.extend_attestations(source="main"); out.append(("extend",got,round(time.perf_counter()-t,2)))
    from liuke.people import queries
    from liuke.base.audit import check
    for p in queries.invariants():
        t=time.perf_counter(); v=check(p).violations; out.append((p.name,v,round(time.perf_counter()-t,2)))
    with capsys.disabled():
        print("\n", *out, sep="\n")
@pytest.mark.django_db
def test_enrol(capsys):
    names=[f"m{n}" for n in range(300_000)]
    out=[]
    from liuke.people.models import Member
    with transaction.atomic():
        t=time.perf_counter(); actions.enrol(source="main", names=names); out.append(("enrol new",round(time.perf_counter()-t,1)))
        t=time.perf_counter(); actions.enrol(source="main", names=names); out.append(("enrol known",round(time.perf_counter()-t,1)))
        with connection.cursor() as c:
            from liuke.people.actions import enrol as e
            import importlib; e=importlib.import_module("liuke.people.actions.enrol")
            t=time.perf_counter(); c.execute(e._MISSING); print(c.fetchone()); out.append(("missing",round(time.perf_counter()-t,2)))
        actions.erase_member(member=Member.objects.first(), by=None)
        t=time.perf_counter(); n=actions.enrol(source="main", names=names); out.append(("enrol with erased",n,round(time.perf_counter()-t,1)))
    with capsys.disabled(): print("\n", *out, sep="\n")
