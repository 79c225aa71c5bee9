"""Parcels that wait at the stations of Kingfisher Lockers."""
