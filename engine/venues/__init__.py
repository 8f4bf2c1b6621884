"""What is on the other side: the protocol that a venue must speak, the paper venue, and a profile
per exchange.
"""
