"""`minidl faces rename`, `merge` and `remove`: the people in a database."""

from minidl.cli.faces.options import add_action, add_database
from minidl.cli.output import counted, say, shown
from minidl.faces import Database
from minidl.faces.names import normal_form, proper_name


def register(actions):
    action = add_action(actions, "rename", rename, "give a person in a database another name")
    add_database(action)
    action.add_argument("old", metavar="OLD", help="name of the person")
    action.add_argument("new", metavar="NEW", help="the new name, which nobody else has")

    action = add_action(
        actions,
        "merge",
        merge,
        "make one person of two in a database",
        "The pictures of OTHER become pictures of NAME, and OTHER is removed. A picture that both "
        "have is kept once.",
    )
    add_database(action)
    action.add_argument("name", metavar="NAME", help="name of the person who stays")
    action.add_argument("other", metavar="OTHER", help="name of the person who is removed")

    action = add_action(
        actions,
        "remove",
        remove,
        "remove a person or one of their pictures from a database",
        "All data of the person, or of the picture, are overwritten in the file. A person whose "
        "last picture is removed is removed too.",
    )
    add_database(action)
    action.add_argument("name", metavar="NAME", help="name of the person")
    action.add_argument(
        "--picture",
        type=int,
        metavar="N",
        help="remove only this picture; `minidl faces list DB NAME` shows the numbers",
    )


def rename(arguments):
    _database(arguments).rename(arguments.old, arguments.new)
    say(f"{shown(arguments.old)} is now called {shown(proper_name(arguments.new))}")


def merge(arguments):
    added = _database(arguments).merge(arguments.name, arguments.other)
    count = counted(added, "more picture")
    say(f"{shown(arguments.other)} is now {shown(arguments.name)}, who has {count}")


def remove(arguments):
    database, name = _database(arguments), shown(arguments.name)
    count = database.remove(arguments.name, arguments.picture)
    if arguments.picture is None:
        say(f"{name} is removed, with {counted(count, 'picture')}")
    elif left := _pictures_left(database, arguments.name):
        say(f"picture {arguments.picture} of {name} is removed; {counted(left, 'picture')} left")
    else:
        say(f"{name} is removed, with the only picture")


def _database(arguments):
    return Database(arguments.database, identity=None)


def _pictures_left(database, name):
    """Return how many pictures a person has, or 0 for an unknown name."""
    known = {person.name: person.pictures for person in database.people()}
    return known.get(normal_form(name), 0)
