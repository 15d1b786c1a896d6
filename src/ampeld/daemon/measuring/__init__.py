"""Measures features: in processes beside the daemon, in the flow within a budget of time, and from tickets behind it.

``measurer`` is what the flow sees. A *worker* is a fork of the nursery that has loaded the channels; a *slot* is its
place, in which a new one is put when one is lost. What of a case is still to be measured then, ``rest`` says.
``tickets`` measures what the flow has put off.
"""
