using System.Net;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What the pictures of all users may take together.</summary>
public sealed class UploadBoundTests(UploadBoundTests.Small system) : IClassFixture<UploadBoundTests.Small>
{
    private const long Bound = 4 * 1024 * 1024;

    /// <summary>A product with four megabytes for everybody's pictures, of a megabyte each.</summary>
    public sealed class Small : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Uploads:InstallationMegabytes"] = "4", ["Uploads:MaxMegabytes"] = "1" };
    }

    [Fact]
    public async Task All_users_together_keep_so_many_megabytes_also_with_uploads_at_once_and_what_goes_makes_room()
    {
        await UtcTime.SameDayAsync();
        var phones = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => system.NewGuestAsync()));
        var answers = await Task.WhenAll(phones.Select(phone => PutAsync(phone, Pictures.Jpeg(padding: 900 * 1024))));
        Assert.Equal(4, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => UploadTests.AssertRefused(answer, 503, "insufficient_storage"));
        Assert.InRange(await SumAsync(), Bound * 8 / 10, Bound);
        Assert.Equal(0L, await DifferenceAsync());
        Assert.Equal(("degraded", "uploads_full"), await ReadyAsync());
        Assert.Equal(1L, await system.QueryAsync<long>("select count(*) from alerts where kind = 'storage_space' and dedupe_key like 'uploads:%'"));

        var full = phones[Array.FindIndex(answers, answer => answer.Status != HttpStatusCode.OK)];
        full.Http.DefaultRequestHeaders.AcceptLanguage.ParseAdd("es");
        var refused = await PutAsync(full, Pictures.Jpeg(padding: 900 * 1024));
        Assert.StartsWith("Los archivos", refused["message"].GetString(), StringComparison.Ordinal);

        var owner = phones[Array.FindIndex(answers, answer => answer.Status == HttpStatusCode.OK)];
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/storage/v1/object/uploads")
        {
            Content = JsonContent.Create(new { prefixes = new[] { $"{owner.UserId}/x.jpg" } }),
        };
        Assert.Equal(HttpStatusCode.OK, (await owner.Http.SendAsync(request)).StatusCode);
        // Not before the worker has removed the file: the bytes are on the disk until then.
        await Eventually.IsAsync(() => PutAsync(full, Pictures.Jpeg(padding: 900 * 1024)), answer => answer.Status == HttpStatusCode.OK);
        Assert.InRange(await SumAsync(), 1, Bound);
        Assert.Equal(0L, await DifferenceAsync());
    }

    [Fact]
    public void The_bound_has_a_unit_and_is_checked_at_start()
    {
        Assert.True(IsValid(new() { InstallationMegabytes = -1 }));
        Assert.True(IsValid(new() { InstallationMegabytes = 1_000_000 }));
        Assert.False(IsValid(new() { InstallationMegabytes = -2 }));
        Assert.False(IsValid(new() { InstallationMegabytes = 9, MaxMegabytes = 10 }));
    }

    private static bool IsValid(Reelbase.Server.Features.Files.UploadsOptions options) =>
        System.ComponentModel.DataAnnotations.Validator.TryValidateObject(options, new(options), null, validateAllProperties: true);

    private Task<long> SumAsync() => system.QueryAsync<long>("select coalesce(sum(size_bytes), 0)::bigint from storage_objects where bucket = 'pictures'");

    /// <summary>Read at one moment: a worker may be removing files.</summary>
    private Task<long> DifferenceAsync() =>
        system.QueryAsync<long>(
            "select picture_bytes - (select coalesce(sum(size_bytes), 0)::bigint from storage_objects where bucket = 'pictures') from installation"
        );

    private static Task<ApiResponse> PutAsync(Phone phone, byte[] bytes) =>
        UploadTests.SendAsync(phone, HttpMethod.Put, $"uploads/{phone.UserId}/x.jpg", bytes, "image/jpeg");

    private async Task<(string?, string?)> ReadyAsync()
    {
        using var nobody = system.Anybody();
        var answer = await nobody.GetFromJsonAsync<JsonElement>("/health/ready");
        return (answer.GetProperty("status").GetString(), answer.GetProperty("room").GetString());
    }
}
