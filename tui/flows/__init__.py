"""What a person does about money, one module per flow: each is a modal window, and the world behind
it goes on living.
"""
