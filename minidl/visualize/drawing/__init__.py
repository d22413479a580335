"""Numbers as pictures: heat.py colours them, shades.py lays them over a picture; grids.py and
page.py put pictures together."""
