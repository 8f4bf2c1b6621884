"""Live venues: ccxt signs and sends, our own streams listen, and a dialect per exchange says what
is meant.

ccxt's unified calls are not used for orders: on Kraken they drop prices, turn stops into market
orders and hide outcomes. The raw calls are, with every field written out here and every answer read
here.
"""
