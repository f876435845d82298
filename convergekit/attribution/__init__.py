"""Attribution: which touchpoints get the credit for a conversion."""
