using System.Net;
using Reelbase.Server.Features.Operations.Cleanup;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What one user may bring and keep, and for how long.</summary>
public sealed class UploadLimitTests(UploadLimitTests.Narrow system) : IClassFixture<UploadLimitTests.Narrow>
{
    private const int Megabyte = 1024 * 1024;

    /// <summary>Three pictures of two megabytes in all, and eight uploads a window.</summary>
    public sealed class Narrow : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Uploads:UserFiles"] = "3",
                ["Uploads:UserMegabytes"] = "2",
                ["Uploads:PerWindow"] = "8",
                ["Uploads:PublicThumbnails"] = "false",
                ["Cleanup:UploadDays"] = "5",
            };
    }

    [Fact]
    public async Task A_user_keeps_so_many_pictures_and_deleting_one_makes_room()
    {
        var phone = await system.NewGuestAsync();
        for (var at = 0; at < 3; at++)
        {
            Assert.Equal(HttpStatusCode.OK, (await PutAsync(phone, $"{at}.jpg", Pictures.Jpeg())).Status);
        }
        UploadTests.AssertRefused(await PutAsync(phone, "3.jpg", Pictures.Jpeg()), 413, "Payload too large");
        // What replaces another takes no new place.
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(phone, "2.jpg", Pictures.Png())).Status);
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/storage/v1/object/uploads")
        {
            Content = JsonContent.Create(new { prefixes = new[] { $"{phone.UserId}/0.jpg" } }),
        };
        Assert.Equal(HttpStatusCode.OK, (await phone.Http.SendAsync(request)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(phone, "3.jpg", Pictures.Jpeg())).Status);
    }

    [Fact]
    public async Task A_user_keeps_so_many_megabytes_also_with_uploads_at_once()
    {
        var phone = await system.NewGuestAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(at => PutAsync(phone, $"{at}.jpg", Pictures.Jpeg(padding: 900 * 1024))));
        Assert.Equal(2, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        UploadTests.AssertRefused(answers.Single(answer => answer.Status != HttpStatusCode.OK), 413, "Payload too large");
        Assert.True(
            await system.QueryAsync<decimal>($"select sum(size_bytes) from storage_objects where user_id = '{phone.UserId}' and state = 'stored'")
                <= 2 * Megabyte
        );
    }

    [Fact]
    public async Task Uploads_are_limited_by_user_and_refusals_do_not_count()
    {
        var phone = await system.NewGuestAsync();
        for (var at = 0; at < 3; at++)
        {
            Assert.Equal(HttpStatusCode.Conflict, (await TwiceAsync(phone, "same.jpg")).Status);
        }
        ApiResponse answer;
        var good = 1;
        while ((answer = await PutAsync(phone, "same.jpg", Pictures.Jpeg())).Status == HttpStatusCode.OK)
        {
            good++;
        }
        Assert.Equal(8, good);
        UploadTests.AssertRefused(answer, 429, "too_many_requests");
        Assert.NotEmpty(answer.Raw.Headers.GetValues("Retry-After").Single());
    }

    [Fact]
    public async Task Nothing_is_public_where_an_operator_says_so()
    {
        var phone = await system.NewGuestAsync();
        var name = $"thumbnails/{phone.UserId}/x.jpg";
        Assert.Equal(HttpStatusCode.OK, (await UploadTests.SendAsync(phone, HttpMethod.Post, name, Pictures.Jpeg(), "image/jpeg")).Status);
        using var nobody = system.Anybody();
        Assert.Equal(HttpStatusCode.NotFound, (await nobody.GetAsync($"/storage/v1/object/public/{name}")).StatusCode);
    }

    [Fact]
    public async Task Old_pictures_go_at_night_but_not_those_that_a_job_needs()
    {
        var phone = await system.NewGuestAsync(100);
        foreach (var name in new[] { "old.jpg", "needed.jpg", "new.jpg" })
        {
            await PutAsync(phone, name, Pictures.Jpeg());
        }
        var job = (await phone.GenerateAsync("[slow 600] Needs a picture"))["job_id"].GetString();
        await system.ExecuteAsync(
            $"""
            update uploads set updated_at = now() - interval '6 days' where user_id = '{phone.UserId}' and path <> 'new.jpg';
            update video_jobs set image_object_id = (select object_id from uploads where user_id = '{phone.UserId}' and path = 'needed.jpg') where job_id = '{job}';
            """
        );
        var worker = (Reelbase.Server.Platform.Database.WorkerDatabase)
            system.Server.Services.GetService(typeof(Reelbase.Server.Platform.Database.WorkerDatabase))!;
        var report = await CleanupRun.RunAsync(worker, new() { UploadDays = 5 }, 0, false, () => Task.CompletedTask, CancellationToken.None);
        Assert.Empty(report.Failed);
        Assert.Equal(1, report.Removed["uploads"]);
        Assert.Equal(["needed.jpg", "new.jpg"], await system.RowsAsync($"select path from uploads where user_id = '{phone.UserId}' order by 1"));
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from storage_objects where user_id = '{phone.UserId}' and bucket = 'pictures'"),
            rows => rows == 2
        );
    }

    private static async Task<ApiResponse> TwiceAsync(Phone phone, string name)
    {
        await UploadTests.SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/{name}", Pictures.Jpeg(), "image/jpeg");
        return await UploadTests.SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/{name}", Pictures.Jpeg(), "image/jpeg");
    }

    private static Task<ApiResponse> PutAsync(Phone phone, string name, byte[] bytes) =>
        UploadTests.SendAsync(phone, HttpMethod.Put, $"uploads/{phone.UserId}/{name}", bytes, "image/jpeg");
}
