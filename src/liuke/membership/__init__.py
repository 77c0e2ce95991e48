"""What you have earned: levels, offers and coupons."""
