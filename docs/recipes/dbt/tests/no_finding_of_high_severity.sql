select * from {{ ref('findings') }} where severity = 'high'
