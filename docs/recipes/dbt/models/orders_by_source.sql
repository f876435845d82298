-- Where buyers came from: utm_source is the profile's, though the order came from the server.
select
    coalesce("profile.utm_source", '(none)') as utm_source,
    count(*) as orders,
    count(distinct profile_id) as buyers,
    sum(cast("properties.total_price" as decimal(18, 2))) as revenue
from {{ ref('events') }}
where event_name = 'Placed Order'
group by 1
order by revenue desc
