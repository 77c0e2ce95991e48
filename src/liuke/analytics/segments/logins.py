"""Where are the days on which members logged in? Rows of (member_id, "on"), one or more for each such day.

Persons log in, so all their members did. Of whom no login is known nothing is said: they are not "without a login for
N days", because nobody knows.
"""

LOGIN_DAYS = (
    'SELECT m.id AS member_id, b."on" FROM analytics_behaviour_day b'
    " JOIN people_member m ON m.person_id = b.person_id WHERE b.logins > 0"
)
