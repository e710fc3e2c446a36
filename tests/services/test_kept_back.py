"""What nobody decided in time leaves the queue, says so, and can be given a new time."""

from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import dispatch, pages, posts
from tests.world import World


def test_it_leaves_the_queue_and_a_new_time_brings_it_back(world: World) -> None:
    delivery = world.delivery(world.version(world.post("reply")))
    with world.read() as session:
        assert len(pages.waiting(session, world.ada, world.now)) == 1
    world.now = delivery.latest_start
    dispatch.Sweeper(world.settings).sweep(world.later(seconds=1))
    with world.read() as session:
        assert pages.waiting(session, world.ada, world.now) == []
        assert pages.progress(session, world.ada, delivery.post_id).state == "kept_back"
    with world.write() as session:
        post = posts.edit(session, world.settings, world.ada, delivery.post_id, posts.Edit(at="+1h"), world.now)
        assert post.state is PostState.draft
    world.version(post)
    with world.read() as session:
        assert len(pages.waiting(session, world.ada, world.now)) == 1
