"""Where are the days on which members logged in?

Rows of (member_id, "on"), a row or more for each day with a login. Nobody's are kept yet: as long as that is so, no
member is ever "without a login for N days", because nobody knows.
"""

LOGIN_DAYS = 'SELECT NULL::bigint AS member_id, NULL::date AS "on" WHERE false'
