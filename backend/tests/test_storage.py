from doubles import FakeClock, FakeS3, FakeSecrets, image
from pixel_prompt.keys import KeyRing
from pixel_prompt.pictures import recognise
from pixel_prompt.storage import ImageStore


def test_images_are_stored_for_good_under_a_key_that_follows_from_job_and_model() -> None:
    s3 = FakeS3()
    store = ImageStore(s3, "bucket")
    data = image("JPEG")
    assert store.put("job", "model", recognise(data)) == "images/job/model.jpg"
    assert s3.objects["images/job/model.jpg"] == {
        "Bucket": "bucket",
        "Key": "images/job/model.jpg",
        "Body": data,
        "ContentType": "image/jpeg",
        "CacheControl": "public, max-age=2592000, immutable",
    }


def test_keys_are_read_once_in_a_few_minutes() -> None:
    clock = FakeClock()
    secrets = FakeSecrets({"openai": " key-1 "})
    ring = KeyRing(secrets, "arn", clock)
    assert ring.key("openai") == "key-1"
    assert ring.key("bfl") == ""
    assert secrets.reads == 1
    secrets.keys["openai"] = "key-2"
    clock.at += 301
    assert ring.key("openai") == "key-2"
    assert "key-2" not in repr(ring)
