"""Pages on the way through a shop that belong to others: payment, proof of the card, sign-in.

Who comes back from them has not arrived anew. The domains are those of providers that lead a buyer
to a page of their own; each counts with its subdomains.
"""

from __future__ import annotations

from convergekit.visits.addresses import parents

#: The day on which the list was looked over.
IGNORED_REFERRERS_DATE = "2026-11-30"
_PAYMENT = """
    paypal.com braintreegateway.com venmo.com
    checkout.stripe.com buy.stripe.com hooks.stripe.com invoice.stripe.com billing.stripe.com
    pay.stripe.com checkout.link.com
    klarna.com afterpay.com clearpay.co.uk affirm.com sezzle.com zip.co laybuy.com scalapay.com
    almapay.com getalma.eu oney.fr oney.es floapay.com riverty.com billie.io ratepay.com
    adyen.com mollie.com checkout.com worldpay.com worldline-solutions.com ogone.com ingenico.com
    payone.com saferpay.com datatrans.com computop-paygate.com sagepay.com opayo.co.uk elavon.com
    authorize.net 2checkout.com bluesnap.com skrill.com paysafe.com paysafecard.com
    payu.com payu.pl przelewy24.pl tpay.com dotpay.pl multisafepay.com buckaroo.nl pay.nl
    icepay.com ideal.nl payzen.eu systempay.fr monetico-services.com paybox.com redsys.es
    axerve.com nexi.it satispay.com swish.nu vippsmobilepay.com mobilepay.dk trustly.com sofort.com
    giropay.de paydirekt.de razorpay.com paytm.com ccavenue.com billdesk.com phonepe.com
    mercadopago.com mercadopago.com.br mercadopago.com.ar mercadopago.com.mx
    pagseguro.uol.com.br ebanx.com dlocal.com payfast.co.za paystack.com flutterwave.com
    iyzico.com paytr.com kakaopay.com pay.naver.com alipay.com pay.weixin.qq.com
    pay.amazon.com pay.amazon.co.uk pay.amazon.de payments.amazon.com
    pay.google.com payments.google.com pay.shopify.com checkout.shopify.com shop.app
    """
_PROOF_OF_THE_CARD = """
    cardinalcommerce.com arcot.com rsa3dsauth.com securesuite.net 3dsecure.io modirum.com
    wlp-acs.com netcetera-payment.ch verifiedbyvisa.com securecode.com
    """
_SIGN_IN = """
    accounts.google.com accounts.youtube.com appleid.apple.com idmsa.apple.com
    login.microsoftonline.com login.live.com login.yahoo.com accounts.shopify.com
    auth0.com okta.com onelogin.com amazoncognito.com b2clogin.com
    """
#: Referrers that say nothing of where a visit is from, unless `ignore_referrers` names others.
IGNORED_REFERRERS: tuple[str, ...] = tuple(f"{_PAYMENT} {_PROOF_OF_THE_CARD} {_SIGN_IN}".split())


def is_within(host: str, domains: frozenset[str]) -> bool:
    """Return whether a host is one of the domains, or in one of them.

    Examples
    --------
    >>> is_within("checkoutshopper-live.adyen.com", frozenset(IGNORED_REFERRERS))
    True
    """
    return any(domain in domains for domain in parents(host))
