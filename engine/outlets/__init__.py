"""Who else is told: exports to files, and notifications to wherever a person is. Each outlet is optional; none of them can hold up the desk."""
