using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Platform.Storage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What becomes of pictures: with their users, and when a server dies.</summary>
public abstract partial class UploadTests
{
    [Fact]
    public async Task A_video_is_no_picture_whether_it_is_uploaded_copied_or_moved()
    {
        var phone = await system.NewGuestAsync(20);
        var job = (await phone.GenerateAndWatchAsync("A video that is to be a picture")).GetProperty("job_id").GetString();
        var video = (await phone.PostAsync("/storage/v1/object/list/videos", new { prefix = $"{phone.UserId}" }))
            .Json.EnumerateArray()
            .Single()
            .GetProperty("name")
            .GetString();
        Assert.StartsWith(job!, video, StringComparison.Ordinal);
        using var read = await phone.Http.GetAsync($"/storage/v1/object/authenticated/videos/{phone.UserId}/{video}");
        var bytes = await read.Content.ReadAsByteArrayAsync();
        Assert.Equal("ftyp"u8.ToArray(), bytes[4..8]);
        foreach (var type in new[] { "video/mp4", "image/jpeg", "image/heic" })
        {
            AssertRefused(await SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/a.mp4", bytes, type), 415, "invalid_mime_type");
            AssertRefused(await SendAsync(phone, HttpMethod.Post, $"thumbnails/{phone.UserId}/a.jpg", bytes, type), 415, "invalid_mime_type");
        }
        foreach (var bucket in new[] { "uploads", "thumbnails" })
        {
            var copied = await phone.PostAsync(
                "/storage/v1/object/copy",
                new
                {
                    bucketId = "videos",
                    sourceKey = $"{phone.UserId}/{video}",
                    destinationBucket = bucket,
                    destinationKey = $"{phone.UserId}/copy.mp4",
                }
            );
            AssertRefused(copied, 415, "invalid_mime_type");
            var moved = await phone.PostAsync(
                "/storage/v1/object/move",
                new
                {
                    bucketId = "videos",
                    sourceKey = $"{phone.UserId}/{video}",
                    destinationBucket = bucket,
                    destinationKey = $"{phone.UserId}/moved.mp4",
                }
            );
            AssertRefused(moved, 404, "not_found");
        }
        // Nothing of it is kept, and the video is where it was.
        foreach (var bucket in new[] { "uploads", "thumbnails" })
        {
            var listed = (await phone.PostAsync($"/storage/v1/object/list/{bucket}", new { prefix = $"{phone.UserId}" })).Json.EnumerateArray();
            Assert.DoesNotContain(listed, entry => entry.GetProperty("name").GetString()!.EndsWith(".mp4", StringComparison.Ordinal));
        }
        using var again = await phone.Http.GetAsync($"/storage/v1/object/authenticated/videos/{phone.UserId}/{video}");
        Assert.Equal(bytes, await again.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_merge_carries_pictures_and_an_export_lists_them_and_account_deletion_erases_them()
    {
        var apple = new Apple(system.Control);
        var member = await system.NewGuestAsync();
        var (token, _) = await apple.SignInAsync("keeper of " + member.UserId);
        await member.PostAsync("/merge-guest-user", new { id_token = token });
        var guest = await system.NewGuestAsync();
        var name = $"thumbnails/{guest.UserId}/before.jpg";
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(guest, HttpMethod.Post, name, Pictures.Jpeg(), "image/jpeg")).Status);
        (token, _) = await apple.SignInAsync("keeper of " + member.UserId);
        Assert.Equal(HttpStatusCode.OK, (await guest.PostAsync("/merge-guest-user", new { id_token = token })).Status);
        // The member has it, under the name that it had, and the old id is still a folder of theirs.
        using var read = await member.Http.GetAsync($"/storage/v1/object/{name}");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(
            HttpStatusCode.OK,
            (await SendAsync(member, HttpMethod.Post, $"thumbnails/{guest.UserId}/after.jpg", Pictures.Jpeg(), "image/jpeg")).Status
        );
        var listed = (await member.PostAsync("/storage/v1/object/list/thumbnails", new { prefix = "" })).Json.EnumerateArray().ToList();
        Assert.Equal([guest.UserId.ToString()], listed.ConvertAll(entry => entry.GetProperty("name").GetString()));
        var export = await member.PostAsync("/export-user-data", new { });
        var files = export["files"].EnumerateArray().Select(file => file.GetProperty("name").GetString()!).Order(StringComparer.Ordinal).ToList();
        Assert.Equal([$"{guest.UserId}/after.jpg", $"{guest.UserId}/before.jpg"], files);
        Assert.Equal(HttpStatusCode.OK, (await member.PostAsync("/delete-account", new { })).Status);
        using var nobody = system.Anybody();
        Assert.Equal(HttpStatusCode.NotFound, (await nobody.GetAsync($"/storage/v1/object/public/{name}")).StatusCode);
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from storage_objects where user_id in ('{member.UserId}', '{guest.UserId}')"),
            rows => rows == 0
        );
    }

    [Fact]
    public async Task What_died_between_the_row_and_the_name_is_cleaned_and_a_fresh_upload_is_not_touched()
    {
        var phone = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/kept.jpg", Pictures.Jpeg(), "image/jpeg")).Status);
        var store = system.Server.Services.GetRequiredService<IFileStore>();
        // A server that died after the file was stored: an hour later the worker has removed both.
        foreach (var (name, age) in new[] { ("00/died.jpg", "2 hours"), ("00/fresh.jpg", "1 minute") })
        {
            // The file first: the worker may remove an old row at once.
            var path = store.NewTemporaryPath();
            await File.WriteAllBytesAsync(path, Pictures.Jpeg());
            await store.PutAsync("pictures", name, path, "image/jpeg", CancellationToken.None);
            await system.ExecuteAsync(
                $"insert into storage_objects (bucket, name, user_id, size_bytes, content_type, created_at) values ('pictures', '{name}', '{phone.UserId}', 9, 'image/jpeg', now() - interval '{age}') on conflict do nothing"
            );
        }
        await Eventually.IsAsync(() => store.ExistsAsync("pictures", "00/died.jpg", CancellationToken.None), exists => !exists);
        var report = await system.Server.Services.GetRequiredService<StorageReconciler>().RunAsync(DateTime.UtcNow.AddDays(1), CancellationToken.None);
        Assert.Equal((0L, 0L), (report!.Orphans, report.Missing));
        Assert.True(await store.ExistsAsync("pictures", "00/fresh.jpg", CancellationToken.None));
        await system.ExecuteAsync("update storage_objects set state = 'deleting' where name = '00/fresh.jpg'");
    }
}
