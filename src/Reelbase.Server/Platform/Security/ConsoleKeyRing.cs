using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption.ConfigurationModel;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Reelbase.Server.Platform.Security;

/// <summary>
/// The one key under which Data Protection seals the framework's cookies and forms, made from the installation's secret, so that every node opens what
/// another one sealed and nothing is stored.
/// </summary>
public sealed class ConsoleKeyRing(Keys keys) : IXmlRepository
{
    private readonly byte[] _key = keys.Derive("console cookies");

    /// <summary>Adds Data Protection with this key.</summary>
    public static void Add(IServiceCollection services)
    {
        // A name, because the framework's own is the folder of the program, which is another one on every node.
        services.AddDataProtection().SetApplicationName("Reelbase").DisableAutomaticKeyGeneration();
        services.AddOptions<KeyManagementOptions>().Configure<Keys>((options, keys) => options.XmlRepository = new ConsoleKeyRing(keys));
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<XElement> GetAllElements() =>
        [
            new(
                "key",
                // Of the key itself, so that what another secret sealed is said to be under another key.
                new XAttribute("id", new Guid(SHA256.HashData(_key).AsSpan(0, 16))),
                new XAttribute("version", 1),
                new XElement("creationDate", DateTimeOffset.UnixEpoch),
                new XElement("activationDate", DateTimeOffset.UnixEpoch),
                new XElement("expirationDate", DateTimeOffset.MaxValue),
                new XElement(
                    "descriptor",
                    new XAttribute("deserializerType", typeof(AuthenticatedEncryptorDescriptorDeserializer).AssemblyQualifiedName!),
                    new XElement(
                        "descriptor",
                        new XElement("encryption", new XAttribute("algorithm", "AES_256_GCM")),
                        new XElement("masterKey", new XElement("value", Convert.ToBase64String(_key)))
                    )
                )
            ),
        ];

    /// <inheritdoc/>
    public void StoreElement(XElement element, string friendlyName) => throw new NotSupportedException("the key is made from the secret");
}
