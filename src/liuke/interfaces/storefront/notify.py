"""Where gateways tell us what was paid. Whoever calls is believed by signature alone: no session, no form."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from liuke.delivery.actions import deliver_order
from liuke.payments.actions import receive_notice
from liuke.payments.errors import BadNotice, UnknownGateway

BODY_MAX = 64 * 1024

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def notify(request: HttpRequest, gateway: str) -> HttpResponse:
    """Take a notice; when an order is paid by it, hand the goods over before the gateway gets its answer."""
    body = request.read(BODY_MAX + 1)
    if len(body) > BODY_MAX:
        return HttpResponse(status=413)
    try:
        heard = receive_notice(gateway=gateway, headers=dict(request.headers), body=body)
    except UnknownGateway:
        return HttpResponse(status=404)
    except BadNotice:
        return HttpResponse(status=401)
    if heard.paid_order_id is not None:
        _deliver(heard.paid_order_id)
    reply = heard.reply
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)


def _deliver(order_id: int) -> None:
    """The money is taken whatever becomes of the goods; what fails here is done again by the dispatcher."""
    try:
        deliver_order(order_id=order_id)
    except Exception:
        log.exception("Order %s is paid and could not be delivered at once", order_id)
